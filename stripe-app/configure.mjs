// Writes the operator's own values into stripe-app.json: node configure.mjs --address https://partners.acme.com --id com.acme.tributary
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

/** The manifest for an installation. Throws a sentence where a value cannot be used. */
export function configured(manifest, { address, id }) {
  let url;
  try {
    url = new URL(address);
  } catch {
    throw new Error(`The address is one of a server, such as https://partners.acme.com, not “${address}”.`);
  }
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && local)) {
    throw new Error("The address begins with https://; only this machine's own may be http.");
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new Error("The address has no user, no query and no fragment.");
  }
  if (!/^[a-zA-Z0-9_.-]+$/.test(id)) {
    throw new Error("The app's id has letters, digits, dots, hyphens and underscores, such as com.acme.tributary.");
  }
  const base = url.href.replace(/\/+$/, "");
  const policy = manifest.ui_extension.content_security_policy;
  return {
    ...manifest,
    id,
    allowed_redirect_uris: [`${base}/oauth/stripe/app/callback`],
    ui_extension: {
      ...manifest.ui_extension,
      content_security_policy: { ...policy, "connect-src": [`${base}/v1/integrations/stripe/app/`] },
    },
    constants: { ...manifest.constants, address: base },
  };
}

if (process.argv[1]?.endsWith("configure.mjs")) {
  try {
    const { values } = parseArgs({ options: { address: { type: "string" }, id: { type: "string" } } });
    if (!values.address || !values.id) throw new Error("usage: node configure.mjs --address https://… --id com.…");
    const file = new URL("stripe-app.json", import.meta.url);
    const manifest = configured(JSON.parse(readFileSync(file, "utf8")), values);
    writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
    console.log(`stripe-app.json is now ${manifest.id} for ${manifest.constants.address}`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 2;
  }
}
