// The app's settings: where Tributary is, and the token that opens it.

import { Box, Link, SettingsView, Spinner, TextField } from "@stripe/ui-extension-sdk/ui";
import type { ExtensionContextValue } from "@stripe/ui-extension-sdk/context";
import { useEffect, useState } from "react";
import { type Access, checkedAddress, findAccess, keepAccess, tokenProblem } from "../access";
import { ask, endpoint } from "../ask";

/** A customer that no account has: what Tributary says of it shows whether address, token and account fit. */
const NOBODY = "cus_0";

type Wrong = { address?: string; token?: string };

/** Does the manifest let the app talk to this address? True where the Dashboard does not say. */
export function mayTalk(sources: string[] | null | undefined, url: string): boolean {
  return !sources || sources.some((source) => url === source || (source.endsWith("/") && url.startsWith(source)));
}

/** What became of a trial call, in a sentence. */
async function tried(access: Access, { userContext, environment, appContext }: ExtensionContextValue): Promise<string> {
  const subject = {
    customer: NOBODY,
    account: userContext.account.id,
    mode: environment.mode,
    user: userContext.id ?? "",
  };
  const sources = appContext.authorizedContentSecurityPolicy?.connectSrc;
  if (!mayTalk(sources, endpoint(access, subject))) {
    return "Saved, but this app may not talk to that address: put it into stripe-app.json and upload the app again.";
  }
  const outcome = await ask(access, subject, new AbortController().signal);
  switch (outcome.kind) {
    case "report":
      return outcome.report.reason === "not_connected"
        ? `Saved. Tributary answers, but it does not know this account in ${environment.mode} mode yet.`
        : "Saved. Tributary answers and knows this account.";
    case "refused":
      return `Saved, but Tributary does not accept the app token. ${outcome.message}`.trim();
    case "busy":
      return "Saved. Tributary was asked too much at once; open a customer's page to try.";
    case "away":
      return "Saved, but Tributary did not answer at this address.";
    case "foreign":
      return "Saved, but what answers at this address is not Tributary.";
  }
}

const Settings = (context: ExtensionContextValue) => {
  const [access, setAccess] = useState<Access | null | undefined>(undefined);
  const [wrong, setWrong] = useState<Wrong>({});
  const [status, setStatus] = useState("");
  useEffect(() => {
    let gone = false;
    findAccess()
      .then((found) => !gone && setAccess(found))
      .catch(() => {
        if (gone) return;
        setAccess(null);
        setStatus("Stripe's Secret Store could not be read.");
      });
    return () => {
      gone = true;
    };
  }, []);

  const save = async (values: Record<string, string>) => {
    const address = checkedAddress(values["address"] ?? "");
    // An empty token means the one that is kept: it is never shown again.
    const token = (values["token"] ?? "").trim() || access?.token || "";
    const problem = tokenProblem(token);
    const found: Wrong = {
      ...("wrong" in address ? { address: address.wrong } : {}),
      ...(problem ? { token: problem } : {}),
    };
    setWrong(found);
    if ("wrong" in address || problem) return setStatus("Not saved.");
    const entered = { address: address.address, token };
    setStatus("Saving…");
    try {
      await keepAccess(entered);
    } catch {
      return setStatus("Not saved: Stripe's Secret Store did not take it. Your role may not allow it.");
    }
    setAccess(entered);
    setStatus(await tried(entered, context));
  };

  if (access === undefined) {
    return (
      <SettingsView statusMessage={status}>
        <Spinner size="medium" />
      </SettingsView>
    );
  }
  const constants = context.environment.constants;
  const usual = typeof constants?.["address"] === "string" ? constants["address"] : "";
  const address = access?.address ?? usual;
  return (
    <SettingsView onSave={(values) => void save(values)} statusMessage={status}>
      <Box css={{ stack: "y", gapY: "medium" }}>
        <Box>
          {`Tributary runs on your own server. These two are kept in Stripe's Secret Store for ${context.environment.mode} mode, and only this app reads them.`}
        </Box>
        <TextField
          name="address"
          label="Tributary's address"
          type="url"
          defaultValue={address}
          invalid={wrong.address !== undefined}
          error={wrong.address ?? ""}
        />
        <TextField
          name="token"
          label="App token"
          type="password"
          autoComplete="off"
          description={access ? "A token is kept. Leave this empty to keep it." : "Make one in Tributary under Settings, API keys."}
          invalid={wrong.token !== undefined}
          error={wrong.token ?? ""}
        />
        {address ? (
          <Link href={address} target="_blank" external>
            Open Tributary
          </Link>
        ) : null}
      </Box>
    </SettingsView>
  );
};

export default Settings;
