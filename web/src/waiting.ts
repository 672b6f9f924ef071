// Parts of a page that ask the server again: a sentence while it is typed, a proof until it is there.

const one = <T extends Element>(selector: string, root: ParentNode = document) => root.querySelector<T>(selector);
const all = <T extends Element>(selector: string, root: ParentNode = document) => [...root.querySelectorAll<T>(selector)];

/** Terms as they are typed: the server makes the sentence, and fields without meaning are put aside. */
export function sentence(): void {
  for (const terms of all<HTMLElement>("[data-sentence]")) {
    const form = terms.closest("form");
    const out = one<HTMLElement>("[data-sentence-out]", terms);
    if (!form || !out) continue;
    let asked = 0;
    const fields = () => {
      const span = one<HTMLSelectElement>("[name=span]", terms)?.value ?? "";
      const count = one<HTMLInputElement>("[name=count]", terms);
      if (count) count.disabled = span === "once" || span === "lifetime";
    };
    const ask = async () => {
      fields();
      const mine = ++asked;
      await new Promise((done) => setTimeout(done, 120));
      if (mine !== asked) return;
      const query = new URLSearchParams();
      for (const name of ["currency", "reward", "value", "span", "count", "hold_days"])
        query.set(name, one<HTMLInputElement>(`[name=${name}]`, form)?.value ?? terms.dataset[name] ?? "");
      const answer = await fetch(`${terms.dataset["sentence"]}?${query}`, { headers: { accept: "text/plain" } }).catch(() => null);
      if (mine !== asked || !answer || (answer.status !== 200 && answer.status !== 422) || answer.redirected) return;
      out.textContent = await answer.text();
      out.toggleAttribute("data-wrong", answer.status === 422);
    };
    form.addEventListener("input", () => void ask());
    fields();
  }
}

/** What tells of the same thing elsewhere on the page: counts, marks, states of steps. */
function follow(anew: Document): void {
  for (const old of all<HTMLElement>("[data-follow][id]")) {
    const fresh = anew.getElementById(old.id);
    if (fresh && old.innerHTML !== fresh.innerHTML) old.innerHTML = fresh.innerHTML;
  }
  for (const step of all<HTMLElement>(".step[id]")) step.className = anew.getElementById(step.id)?.className ?? step.className;
}

/** Parts that wait for evidence ask for it: `data-watch` holds seconds. The page comes anew, and the part is exchanged. */
export function watch(): void {
  for (const part of all<HTMLElement>("[data-watch][id]")) {
    const look = async (now: HTMLElement): Promise<void> => {
      const seconds = Number(now.dataset["watch"]);
      if (!seconds) return;
      await new Promise((done) => setTimeout(done, seconds * 1000));
      if (document.hidden) return look(now);
      const answer = await fetch(location.href, { headers: { "x-watch": "1" } }).catch(() => null);
      if (!answer?.ok || answer.redirected) return;
      const anew = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = anew.getElementById(now.id);
      if (!fresh) return;
      if (!now.contains(document.activeElement) && fresh.textContent !== now.textContent) {
        const taken = document.importNode(fresh, true);
        now.replaceWith(taken);
        follow(anew);
        return look(taken);
      }
      return look(now);
    };
    void look(part);
  }
}

/** Windows over the page: the link leads to a page of its own, and with script opens the window instead. */
export function windows(): void {
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLElement>("[data-opens]");
    const dialog = link && document.getElementById(link.dataset["opens"] ?? "");
    if (!(dialog instanceof HTMLDialogElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    dialog.showModal();
  });
}
