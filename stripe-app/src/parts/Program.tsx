// What one program knows of the customer.

import { Box, Divider, Inline, Link, List, ListItem, PropertyList, PropertyListItem } from "@stripe/ui-extension-sdk/ui";
import type { Earned, Program, Sale } from "../report";
import { day, isSome, money } from "../words";

/** Who referred the customer, what was earned, and the last sales. */
export function ProgramPart({ program, locale, named }: { program: Program; locale: string; named: boolean }) {
  return (
    <Box css={{ stack: "y", gapY: "medium" }}>
      {named ? <Inline css={{ font: "heading" }}>{program.name}</Inline> : null}
      <Referrer program={program} locale={locale} />
      {program.earned.map((earned) => (
        <EarnedPart key={earned.currency} earned={earned} />
      ))}
      <Sales program={program} locale={locale} />
      <Divider />
    </Box>
  );
}

function Referrer({ program, locale }: { program: Program; locale: string }) {
  const { partner, evidence, since } = program;
  if (!partner) return <Box>{program.because || "Nobody referred this customer."}</Box>;
  const from = since ? day(since, locale) : "";
  return (
    <Box css={{ stack: "y", gapY: "small" }}>
      <Box>{program.because}</Box>
      <PropertyList>
        <PropertyListItem
          label="Partner"
          value={partner.url ? <Link href={partner.url} target="_blank" external>{partner.name}</Link> : partner.name}
        />
        <PropertyListItem label="Link" value={partner.link || partner.key} />
        {from ? <PropertyListItem label="Since" value={from} /> : null}
        {evidence?.words ? <PropertyListItem label="Evidence" value={evidence.words} /> : null}
      </PropertyList>
    </Box>
  );
}

function EarnedPart({ earned }: { earned: Earned }) {
  const rows: [string, string][] = [
    ["Pending", earned.pending],
    ["Payable", earned.payable],
    ["Paid out", earned.paid],
    ["Reversed", earned.reversed],
  ];
  return (
    <Box css={{ stack: "y", gapY: "xsmall" }}>
      <Inline css={{ font: "subheading" }}>{`Earned in ${earned.currency}`}</Inline>
      <PropertyList>
        {rows.map(([label, amount]) => (
          <PropertyListItem key={label} label={label} value={money(amount, earned.currency)} />
        ))}
      </PropertyList>
    </Box>
  );
}

function Sales({ program, locale }: { program: Program; locale: string }) {
  if (program.sales.length === 0) return <Box>No sale yet.</Box>;
  return (
    <Box css={{ stack: "y", gapY: "xsmall" }}>
      <Inline css={{ font: "subheading" }}>Last sales</Inline>
      <List>
        {program.sales.map((sale) => (
          <ListItem
            key={sale.id}
            id={sale.id}
            title={
              sale.url ? <Link href={sale.url} target="_blank" external>{day(sale.at, locale) || sale.id}</Link> : sale.id
            }
            secondaryTitle={earnedOf(sale)}
            value={money(sale.paid, sale.currency)}
          />
        ))}
      </List>
      {program.url ? (
        <Link href={program.url} target="_blank" external>
          {program.moreSales ? "All sales in Tributary" : "Open in Tributary"}
        </Link>
      ) : null}
    </Box>
  );
}

/** What a sale earns, or why nothing; what was given back stands beside it. */
function earnedOf(sale: Sale): string {
  const earned = sale.earned
    ? `Earns ${money(sale.earned, sale.earnedCurrency ?? "")}`
    : `Earns nothing${sale.nothingBecause ? `: ${sale.nothingBecause}` : ""}`;
  return isSome(sale.refunded) ? `${earned} · ${money(sale.refunded, sale.currency)} refunded` : earned;
}
