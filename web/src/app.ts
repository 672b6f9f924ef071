// What the pages do beyond links and forms. Each part is a comfort: without it the page still works.
import { tabsInSight } from "./tabs";
import { sentence, watch, windows } from "./waiting";

const one = <T extends Element>(selector: string, root: ParentNode = document) => root.querySelector<T>(selector);
const all = <T extends Element>(selector: string, root: ParentNode = document) => [...root.querySelectorAll<T>(selector)];

/** Theme: the form posts without script; with it the change is at once and the choice goes into a cookie. */
function themeSwitch(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (!form.matches("[data-theme-switch]")) return;
    const button = (event as SubmitEvent).submitter as HTMLButtonElement | null;
    if (!button) return;
    event.preventDefault();
    const theme = button.value;
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `tributary_theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    for (const other of all<HTMLButtonElement>("[data-theme-switch] button"))
      other.setAttribute("aria-pressed", String(other.value === theme));
  });
}

/** Copy buttons: `data-copy` holds the text, or `data-copy-from` names the element that does. */
function copyButtons(): void {
  document.addEventListener("click", async (event) => {
    const button = (event.target as Element).closest<HTMLButtonElement>("[data-copy],[data-copy-from]");
    if (!button) return;
    const from = button.dataset["copyFrom"];
    const text = button.dataset["copy"] ?? (from ? (document.getElementById(from)?.textContent ?? "") : "");
    try {
      await navigator.clipboard.writeText(text);
      say("Copied.");
      button.dataset["done"] = "";
      setTimeout(() => delete button.dataset["done"], 1500);
    } catch {
      say("The browser refused to copy. Select the text and copy it by hand.");
    }
  });
}

/** Puts a sentence into the page's polite live region, where it also shows as a toast. */
function say(text: string): void {
  const toast = one<HTMLElement>("#toast");
  if (!toast) return;
  toast.textContent = text;
  toast.dataset["shown"] = "";
  window.clearTimeout(Number(toast.dataset["timer"]));
  toast.dataset["timer"] = String(window.setTimeout(() => delete toast.dataset["shown"], 2500));
}

/** `/` goes to the search field, Escape leaves it; Escape also puts open tooltips and menus away. */
function keys(): void {
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    const typing = target.matches("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const search = one<HTMLInputElement>("#search");
      if (!search) return;
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "Escape") {
      if (target.id === "search") target.blur();
      for (const open of all<HTMLDetailsElement>("details[data-menu][open]")) {
        open.open = false;
        one<HTMLElement>("summary", open)?.focus();
      }
      for (const tip of all<HTMLElement>(".tip:focus-within, .tip:hover")) tip.dataset["away"] = "";
    }
  });
  document.addEventListener("focusout", (event) => delete (event.target as Element).closest<HTMLElement>(".tip")?.dataset["away"]);
  document.addEventListener("pointerout", (event) => delete (event.target as Element).closest<HTMLElement>(".tip")?.dataset["away"]);
  document.addEventListener("click", (event) => {
    for (const open of all<HTMLDetailsElement>("details[data-menu][open]"))
      if (!open.contains(event.target as Node)) open.open = false;
  });
}

const steps: [number, string][] = [[60, "second"], [3600, "minute"], [86400, "hour"], [2592000, "day"], [31536000, "month"], [Infinity, "year"]];

/** Relative times stay true while a page stays open. The server writes the same words first. */
function times(): void {
  const words = (from: number) => {
    const seconds = Math.round((Date.now() - from) / 1000);
    if (Math.abs(seconds) < 45) return "just now";
    let size = 1;
    for (const [limit, unit] of steps) {
      if (Math.abs(seconds) < limit) {
        const n = Math.max(1, Math.floor(Math.abs(seconds) / size));
        const amount = `${n} ${unit === "minute" ? "min" : n === 1 ? unit : `${unit}s`}`;
        return seconds < 0 ? `in ${amount}` : `${amount} ago`;
      }
      size = limit;
    }
    return "";
  };
  const update = () => {
    for (const time of all<HTMLTimeElement>("time[data-relative]")) {
      const text = words(Date.parse(time.dateTime));
      if (text && time.textContent !== text) time.textContent = text;
    }
  };
  update();
  setInterval(update, 30_000);
  document.addEventListener("htmx:after:swap", update);
}

/** The live list: Pause holds the polls, a hidden tab holds them too, and news is counted out loud. */
function live(): void {
  const list = one<HTMLElement>("[data-live]");
  const pause = one<HTMLButtonElement>("[data-live-pause]");
  if (!list || !pause) return;
  const keysOf = () => new Set(all<HTMLElement>("[data-key]", list).map((row) => row.dataset["key"]));
  let before = keysOf();
  let paused = false;
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    const label = one<HTMLElement>("[data-label]", pause);
    if (label) label.textContent = paused ? "Resume" : "Pause";
    document.documentElement.toggleAttribute("data-live-paused", paused);
  });
  document.addEventListener("htmx:config:request", (event) => {
    const source = (event as CustomEvent).detail?.ctx?.sourceElement as Element | undefined;
    if (source === list && (paused || document.hidden)) event.preventDefault();
  });
  document.addEventListener("htmx:after:swap", () => {
    const now = keysOf();
    const fresh = [...now].filter((key) => !before.has(key)).length;
    before = now;
    const status = one<HTMLElement>("#live-status");
    if (status && fresh > 0) status.textContent = fresh === 1 ? "1 new event" : `${fresh} new events`;
  });
}

themeSwitch();
tabsInSight();
copyButtons();
sentence();
watch();
windows();
keys();
times();
live();
