// Tabs that do not fit into a narrow window.

/** In a narrow window the tabs scroll inside their line: the one that is open is brought into sight. */
export function tabsInSight(): void {
  for (const tab of document.querySelectorAll<HTMLElement>(".tabs [aria-current]")) {
    const line = tab.parentElement;
    if (!line || line.scrollWidth <= line.clientWidth) continue;
    line.scrollLeft = tab.offsetLeft - line.offsetLeft - (line.clientWidth - tab.offsetWidth) / 2;
  }
}
