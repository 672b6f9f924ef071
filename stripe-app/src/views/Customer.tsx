// On a customer's page in Stripe's Dashboard: who referred this customer, and what was earned.

import { Banner, Box, Button, ContextView, Spinner } from "@stripe/ui-extension-sdk/ui";
import type { ExtensionContextValue } from "@stripe/ui-extension-sdk/context";
import type { ReactElement } from "react";
import type { Outcome } from "../ask";
import { type Known, useKnown } from "../known";
import { ProgramPart } from "../parts/Program";

type Said = { title: string; description: string; again: boolean; type: "default" | "caution" };

const settings = "Open the settings of this app and enter Tributary's address and an app token.";

function ofOutcome(outcome: Outcome, address: string): Said | null {
  switch (outcome.kind) {
    case "refused":
      return {
        title: "Tributary does not accept the app token",
        description: `${outcome.message} Make a new one in Tributary under Settings, API keys, and enter it in the settings of this app.`.trim(),
        again: true,
        type: "caution",
      };
    case "busy":
      return { title: "Too many calls at once", description: "Try again in a few seconds.", again: true, type: "default" };
    case "away":
      return {
        title: "Tributary did not answer",
        description: `${address} could not be reached. Nothing is lost: it catches up with Stripe by itself.`,
        again: true,
        type: "caution",
      };
    case "foreign":
      return { title: "This is not Tributary", description: `${address} answered with something else. ${settings}`, again: true, type: "caution" };
    case "report":
      return outcome.report.reason === "not_connected"
        ? {
            title: "This account is not connected",
            description: "Tributary does not know this Stripe account in this mode. Connect it in Tributary under Settings, Stripe.",
            again: true,
            type: "caution",
          }
        : null;
  }
}

function said(known: Known): Said | null {
  switch (known.kind) {
    case "loading":
      return null;
    case "unset":
      return { title: "Tributary is not set up here yet", description: settings, again: true, type: "default" };
    case "locked":
      return {
        title: "The app's secret could not be read",
        description: "Stripe's Secret Store did not answer, or your role may not read it.",
        again: true,
        type: "caution",
      };
    case "answered":
      return ofOutcome(known.outcome, known.address);
  }
}

function Banners({ said, again }: { said: Said; again: () => void }): ReactElement {
  const actions = said.again ? <Button onPress={again}>Try again</Button> : null;
  return <Banner type={said.type} title={said.title} description={said.description} actions={actions} />;
}

const Customer = ({ userContext, environment }: ExtensionContextValue) => {
  const [known, again] = useKnown({
    customer: environment.objectContext?.id ?? "",
    account: userContext.account.id,
    mode: environment.mode,
    user: userContext.id ?? "",
  });
  const word = said(known);
  const report = known.kind === "answered" && known.outcome.kind === "report" && !word ? known.outcome.report : null;
  return (
    <ContextView
      title="Referral"
      description={report?.referred ? report.message : "Who referred this customer"}
      banner={word ? <Banners said={word} again={again} /> : undefined}
    >
      {known.kind === "loading" ? <Spinner size="medium" /> : null}
      {report && report.programs.length === 0 ? <Box>{report.message || "Nobody referred this customer."}</Box> : null}
      {report?.programs.map((program) => (
        <ProgramPart
          key={program.id}
          program={program}
          locale={userContext.locale}
          named={report.programs.length > 1}
        />
      ))}
    </ContextView>
  );
};

export default Customer;
