// Look-alikes of <stripe-buy-button> and <stripe-pricing-table>. They take the same attributes, when they are shown
// and whenever these change, and drop a reference with letters that Stripe would drop.
(() => {
  const host = new URL(document.currentScript.src).origin;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { display: block; color-scheme: light; font: 15px/1.45 system-ui, sans-serif; }
    .row { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(220px, 100%), 1fr)); gap: 16px; }
    .one { background: #fff; color: #1f2430; border: 1px solid #d9dce3; border-radius: 12px; padding: 20px; display: flex; flex-direction: column; gap: 6px; }
    .name { font-weight: 600; margin: 0; } .about { margin: 0; color: #565c69; flex: 1; }
    .price { font-size: 24px; font-weight: 650; margin: 4px 0 8px; font-variant-numeric: tabular-nums; } .price span { font-size: 15px; font-weight: 400; color: #565c69; }
    a { display: block; text-align: center; background: #1d4b91; color: #fff; text-decoration: none; border-radius: 8px; padding: 11px 16px; font-weight: 600; }
    a:hover { background: #163a72; } a:focus-visible { outline: 3px solid #1d4b91; outline-offset: 2px; }
    .gone { margin: 0; color: #7a2318; background: #fff; border: 1px solid #d9dce3; border-radius: 12px; padding: 16px; }`);
  const make = (tag, name, text) => Object.assign(document.createElement(tag), { className: name, textContent: text });
  const plain = (text) => (/^[A-Za-z0-9_-]{1,200}$/.test(text ?? "") ? text : null);

  class Embedded extends HTMLElement {
    #items = [];
    #asked = "";

    constructor() {
      super();
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    }

    connectedCallback() { this.#load(); }

    attributeChangedCallback() {
      if (!this.isConnected) return;
      this.#load();
      this.#link();
    }

    async #load() {
      const asked = `${host}/embed/${encodeURIComponent(this.getAttribute(this.constructor.id) ?? "")}?key=${encodeURIComponent(this.getAttribute("publishable-key") ?? "")}`;
      if (asked === this.#asked) return;
      this.#asked = asked;
      let items = [];
      try {
        items = (await (await fetch(asked)).json()).items;
      } catch {
        // Said below: nothing can be shown.
      }
      if (asked !== this.#asked) return;
      this.#items = items;
      this.#draw();
    }

    #draw() {
      const row = make("div", "row", "");
      for (const { name, about, price, every } of this.#items) {
        const one = make("div", "one", "");
        const amount = make("p", "price", price);
        amount.append(make("span", "", every ? ` per ${every}` : ""));
        const link = make("a", "", every ? "Subscribe" : "Buy");
        link.setAttribute("aria-label", `${link.textContent}: ${name}`);
        one.append(make("p", "name", name), make("p", "about", about), amount, link);
        row.append(one);
      }
      if (this.#items.length === 0) row.append(make("p", "gone", "This cannot be shown: the id and the publishable key name nothing."));
      this.shadowRoot.replaceChildren(row);
      this.#link();
    }

    /** Puts the attributes of this moment into the links. */
    #link() {
      const reference = plain(this.getAttribute("client-reference-id"));
      const email = this.getAttribute("customer-email");
      this.shadowRoot.querySelectorAll("a").forEach((link, at) => {
        const url = new URL(this.#items[at].url);
        if (reference) url.searchParams.set("client_reference_id", reference);
        if (email?.includes("@")) url.searchParams.set("prefilled_email", email);
        link.href = url.href;
      });
    }
  }

  const shared = ["publishable-key", "client-reference-id", "customer-email"];
  customElements.define("stripe-buy-button", class extends Embedded {
    static id = "buy-button-id";
    static observedAttributes = [...shared, "buy-button-id"];
  });
  customElements.define("stripe-pricing-table", class extends Embedded {
    static id = "pricing-table-id";
    static observedAttributes = [...shared, "pricing-table-id"];
  });
})();
