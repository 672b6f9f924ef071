// The state of a view: first what was entered, then what Tributary says.

import { useEffect, useState } from "react";
import { findAccess } from "./access";
import { type Outcome, type Subject, ask } from "./ask";

/** Where a view stands. */
export type Known =
  | { kind: "loading" }
  /** Nothing was entered on the settings page. */
  | { kind: "unset" }
  /** Stripe's Secret Store could not be read. */
  | { kind: "locked" }
  | { kind: "answered"; outcome: Outcome; address: string };

async function find(subject: Subject, stop: AbortSignal): Promise<Known> {
  let access;
  try {
    access = await findAccess();
  } catch {
    return { kind: "locked" };
  }
  if (!access) return { kind: "unset" };
  return { kind: "answered", outcome: await ask(access, subject, stop), address: access.address };
}

/** What is known of a customer, and a way to ask again. */
export function useKnown({ customer, account, mode, user }: Subject): [Known, () => void] {
  const [known, setKnown] = useState<Known>({ kind: "loading" });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setKnown({ kind: "loading" });
    void find({ customer, account, mode, user }, stop.signal).then((found) => {
      if (!stop.signal.aborted) setKnown(found);
    });
    return () => stop.abort();
  }, [customer, account, mode, user, round]);
  return [known, () => setRound((n) => n + 1)];
}
