/**
 * The script that a merchant puts on every page. The server renders the four capital names for one program.
 * It remembers who sent the visitor in first-party cookies, tells the server of the arrival, and gives payment links
 * and Stripe's elements the reference by which the purchase is recognised. It must never throw on the merchant's page,
 * and it is sent to every visitor: bytes count (check.mjs).
 */
declare const TRIBUTARY_ENDPOINT: string;
declare const TRIBUTARY_PARAMETER: string;
declare const TRIBUTARY_SECONDS: number;
declare const TRIBUTARY_PAYMENT_HOSTS: RegExp;

type Entry = { a?: ArrayLike<unknown>; q?: Entry[] } & ArrayLike<unknown>;
type Person = Record<string, unknown>;

((window: any, document: any, location: Location) => {
  let allowed: unknown = document.currentScript?.dataset.consent == null;
  /** Where cookies go: found at the first write. */
  let domain: string | undefined;
  let partner: string | undefined;
  let visitor: string | undefined;
  let timer: unknown;

  const read = (name: string): string | undefined => document.cookie.match(`(^|; )tributary_${name}=([^;]+)`)?.[2];
  const put = (name: string, value: unknown, where: string) => {
    document.cookie = `tributary_${name}=${value};path=/;samesite=lax;max-age=${value ? TRIBUTARY_SECONDS : 0}${where}`;
  };
  const keep = () => {
    if (domain == null) {
      // The widest that the browser lets this page use: the shortest ending of its name that holds a cookie.
      const secure = location.protocol > "http:" ? ";secure" : "";
      const labels = location.hostname.split(".");
      for (let from = labels.length; domain == null && from--; ) {
        const where = `${secure};domain=${labels.slice(from).join(".")}`;
        put("try", 1, where);
        if (read("try")) put("try", 0, (domain = where));
      }
      domain ??= secure;
    }
    put("partner", partner, domain);
    put("visitor", visitor, domain);
    scan();
  };
  const scan = () => {
    timer = 0;
    document.querySelectorAll("a[href],area[href],stripe-buy-button,stripe-pricing-table").forEach(mark);
  };
  const post = (path: string, body: Person, done?: (answer: Response) => unknown) =>
    fetch(TRIBUTARY_ENDPOINT + path, { method: "POST", keepalive: true, body: JSON.stringify({ ...body, visitor, page: location.href }) })
      .then(done)
      .catch(() => {});

  /** Gives an element the reference, unless the site gave it one: what we wrote is remembered on the element. */
  const mark = (element: any) => {
    try {
      const value: any = visitor?.startsWith("vis_") ? visitor : partner;
      const link = TRIBUTARY_PAYMENT_HOSTS.test(element.host);
      if (!allowed || !value || !(link || /^stripe-[bp]/.test(element.localName))) return;
      const name = link ? "client_reference_id" : "client-reference-id";
      const query = new URLSearchParams(element.search);
      const there = link ? query.get(name) : element.getAttribute(name);
      if (there == value || (there && there != element.tributary)) return;
      element.tributary = value;
      query.set(name, value);
      if (link) element.search = query;
      else element.setAttribute(name, value);
    } catch {}
  };

  const signUp = (person: Person) => allowed && post("/signup", { ...person, partner });
  const capture = (event: Event) => {
    const find = (what: string) => (event.target as Element).querySelector<HTMLInputElement>(what);
    const email = find("[type=email],[name*=email]")?.value;
    if (email && !find("[autocomplete=current-password]")) signUp({ email, name: find("[name*=name]")?.value });
  };

  const arrive = () => {
    const query = new URLSearchParams(location.search);
    const get = (name: string) => query.get(name)?.match(/^[\w-]{1,64}$/)?.[0];
    const key = get(TRIBUTARY_PARAMETER) || get("aff") || get("via") || get("ref");
    const before = [(partner = read("partner")), (visitor = read("visitor"))];
    // A page inside another page is not an arrival.
    if (key && window == window.top) {
      const visit = get("tributary_visit");
      visitor = visit || (partner == key && visitor) || `${Math.random()}`;
      partner = key;
      if (!visit)
        post("/visit", { key, referrer: document.referrer }, async (answer) => {
          // 204: nobody has this key. It was not meant for us, as with other people's ref=.
          if (answer.status == 204) [partner, visitor] = before;
          else visitor = (await answer.json()).visit;
          keep();
        });
    }
    if (partner) keep();
  };

  const start = () => {
    if (document.prerendering) document.addEventListener("prerenderingchange", arrive);
    else arrive();
    new MutationObserver(() => (timer ||= setTimeout(scan, 20))).observe(document, {
      subtree: true,
      childList: true,
      attributeFilter: ["href"],
    });
    // Before the browser follows it, whatever was done to the link meanwhile.
    ["pointerdown", "click", "auxclick", "keydown"].forEach((name) =>
      window.addEventListener(name, (event: Event) => event.composedPath().forEach(mark), true),
    );
  };

  const command = (...words: any[]) => {
    const last = words[words.length - 1];
    if (words.includes("signup")) signUp(last.data || last);
    if (words.includes("universal")) window.addEventListener("submit", capture, true);
    if (words[0] == "consent") {
      if (!last) {
        allowed = partner = visitor = undefined;
        keep();
      } else if (!allowed) {
        allowed = 1;
        start();
      }
    }
  };
  /** Calls that were made before the script was there, and those made through the stub since. */
  const run = (entry: Entry) => {
    try {
      command(...Array.from(entry.a || entry));
      if (entry.q) drain(entry.q);
    } catch {}
  };
  const drain = (queue: Entry[]) => {
    queue.forEach(run);
    queue.push = run as any;
  };
  try {
    if (allowed) start();
    ["tributary", "po"].forEach((name) => {
      const call = (window[name] ||= function api() {
        run(arguments as any);
        return api;
      });
      drain((call.q ||= []));
    });
  } catch {}
})(window, document, location);
