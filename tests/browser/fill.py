#!/usr/bin/env python3
"""Fills the one program of a SQLite database, so that its pages can be looked at: three rows, very many, or names of
sixty letters. Figures agree with each other as far as the pages show them.

    fill.py DATABASE three|long|many
"""
import random
import sqlite3
import sys
import time

DAY = 86_400_000
FIRST = "Maya Theo Ines Sam Noor Lena Oskar Priya Jonas Aiko Malik Sofia".split()
LAST = "Lindqvist Okafor Brandt Ortega Haddad Novak Nilsen Rao Weber Tanaka Diallo Costa".split()
LONG = "Alexandrina-Wilhelmina Featherstonehaugh-Cholmondeley of Ayr"
STATUSES = ["active"] * 5 + ["pending", "suspended", "archived"]
EVENTS = [
    ("invoice.paid", "processed", ""),
    ("charge.refunded", "processed", ""),
    ("customer.subscription.trial_will_end", "ignored", "Tributary has no use for events of this type."),
    ("checkout.session.async_payment_succeeded", "parked", "It belongs to another Stripe account than this connection."),
]
FILLINGS = {
    "three": (3, 3, 3, False, ["usd"]),
    "long": (6, 12, 30, True, ["usd"]),
    "many": (10_000, 10_000, 10_000, False, ["usd", "usd", "eur"]),
}


def main() -> None:
    path, filling = sys.argv[1:]
    partners, customers, sales, long, currencies = FILLINGS[filling]
    random.seed(7)
    db = sqlite3.connect(path)
    db.execute("PRAGMA foreign_keys = OFF")
    ws, program = db.execute("SELECT workspace_id, program_id FROM program").fetchone()
    now = int(time.time() * 1000)
    today = now // DAY
    many = partners > 100

    def put(table: str, **row) -> None:
        row = {"workspace_id": ws, **row}
        marks = ", ".join("?" * len(row))
        db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    def name(i: int) -> tuple[str, str]:
        return (LONG, "") if long else (FIRST[i % 12], LAST[(i // 12 + i) % 12])

    for i in range(partners):
        one, two = name(i)
        at = now - (i + 1) * DAY // (20 if many else 1) - 7 * DAY
        key = f"a-key-that-is-nearly-as-long-as-a-key-may-be-in-a-program-{i}" if long else f"{one.lower()}{i}"
        who = f"ptr_fill{i}"
        email = f"{'very.' * 9}patient{i}@partners.example" if long else f"{key}@partners.example"
        status = "active" if i < 3 else STATUSES[i % 8]
        put("partner", partner_id=who, program_id=program, external_id=who, key=key, email=email, name=one, surname=two,
            status=status, tags="[]", created_at=at, updated_at=at)
        put("partner_status", partner_id=who, from_ms=at, status="active")
        if status != "active":
            put("partner_status", partner_id=who, from_ms=at + 5 * DAY, status=status)
        put("referral_link", link_id=f"lnk_fill{i}", program_id=program, partner_id=who, key=key,
            destination="https://shop.example/", is_default=1, created_at=at, slug=key, name="")
        for back in range(4 if many else 60):
            visits = random.randrange(40)
            if visits:
                day = today - (back * 31 + i) % 100 if many else today - back
                put("partner_day", mode="test", program_id=program, partner_id=who, day=day, visits=visits,
                    customers=random.randrange(3))
                put("link_day", mode="test", program_id=program, partner_id=who, link_id=f"lnk_fill{i}", day=day,
                    visits=visits, repeats=random.randrange(9), bots=random.randrange(4), prefetches=random.randrange(2),
                    heads=0)
    for i in range(customers):
        one, two = name(i * 5 + 3)
        at = now - i * (40 if many else 5_000) * 60_000 - 120_000
        email = f"{'customer.of.' * 4}{i}@buyers.example" if long else f"{one}.{two}@buyers.example".lower()
        put("customer", customer_id=f"ctm_fill{i:06}", mode="test", program_id=program,
            key=f"{'customer.of.' * 4}{i}@b.example" if long else f"user_{8000 + i}", email="" if i % 3 else email,
            name=one if i % 4 else "", surname=two if i % 4 else "", status="active", tags="[]", origin="api",
            partner_id=None if i % 6 == 5 else f"ptr_fill{i % partners}", partner_by="api" if i % 2 else "browser",
            created_at=at, updated_at=at)
    put("connection", connection_id="con_fill", mode="test", account_id="acct_1Fill", api_base="http://127.0.0.1:9",
        account_name=LONG if long else "Acme", api_key=b"", key_hint="rk_test_…fill", status="connected", status_reason="",
        warnings="[]", polling=0, cursor_at=now, created_at=now, updated_at=now)
    put("connection_program", connection_id="con_fill", program_id=program, created_at=now)
    put("feed_span", connection_id="con_fill", program_id=program, from_ms=0)
    for i in range(sales):
        what, outcome, reason = EVENTS[i % len(EVENTS)]
        at = now - i * 600_000
        put("event", connection_id="con_fill", event_id=f"evt_1Fill{i:010}QxAb", type=what, object_id=f"in_1Fill{i:010}QxAb",
            api_version="2026-05-27.dahlia", created_at=at, received_at=at + 900, via="webhook", outcome=outcome,
            reason=reason, attempts=1, run_at=at, processed_at=at + 1_000)
    money: dict[tuple[str, str, int], list[int]] = {}
    for i in range(sales):
        currency = currencies[i % len(currencies)]
        paid = 1_900 + random.randrange(30) * 1_000
        refunded = paid if i % 9 == 4 else paid // 2 if i % 9 == 7 else 0
        buyer = i * 37 % customers
        partner = None if buyer % 6 == 5 else f"ptr_fill{buyer % partners if not many else buyer % 97 * (buyer % 7)}"
        at = now - 240_000 - i * (110 if many else 20) * DAY // sales - random.randrange(DAY)
        root = f"in_1Fill{i:010}QxAb"
        customer = f"ctm_fill{buyer:06}"
        put("alias", connection_id="con_fill", object_id=root, sale_id=f"sal_fill{i}")
        put("sale", sale_id=f"sal_fill{i}", connection_id="con_fill", mode="test", root_id=root, state="paid",
            occurred_at=at, currency=currency, total=paid, tax=0, shipping=0, discount=0, paid=paid, captured=paid,
            refunded=refunded, tax_unknown=0, rewardable=1, buyer_id=f"cus_fill{buyer}", program_id=program,
            customer_id=customer, place_reason="", unplaced=0, unsettled=0,
            outcome="earns" if partner else "no_partner", updated_at=at)
        if not partner:
            continue
        gross, target = paid * 3 // 10, (paid - refunded) * 3 // 10
        put("commission", commission_id=f"com_fill{i}", mode="test", program_id=program, partner_id=partner,
            customer_id=customer, sale_id=f"sal_fill{i}", root_id=root, rule="sale", currency=currency, target=target,
            gross=gross, revenue=paid, occurred_at=at, payable_at=at + 30 * DAY,
            matured_at=at + 30 * DAY if at + 30 * DAY < now else None,
            outcome="earns" if target else "fully_refunded", last_seq=1, last_seal=f"{i:064}", created_at=at, updated_at=at)
        row = money.setdefault((currency, partner, at // DAY), [0] * 5)
        for n, value in enumerate((1, int(refunded > 0), paid, gross, target)):
            row[n] += value
    for (currency, partner, day), row in money.items():
        put("partner_day_money", mode="test", program_id=program, partner_id=partner, currency=currency, day=day,
            sales=row[0], refunded=row[1], revenue=row[2], gross=row[3], target=row[4])
    sums = "SUM(sales), SUM(refunded), SUM(revenue), SUM(gross), SUM(target) FROM partner_day_money"
    db.execute("INSERT INTO program_day_money (workspace_id, mode, program_id, day, currency, sales, refunded, revenue, "
               f"gross, target) SELECT workspace_id, mode, program_id, day, currency, {sums} GROUP BY 1, 2, 3, 4, 5")
    db.execute("INSERT INTO partner_total (workspace_id, mode, program_id, partner_id, currency, sales, revenue, gross, "
               "target) SELECT workspace_id, mode, program_id, partner_id, currency, SUM(sales), SUM(revenue), "
               "SUM(gross), SUM(target) FROM partner_day_money GROUP BY 1, 2, 3, 4, 5")
    db.execute("INSERT INTO program_day (workspace_id, mode, program_id, day, visits, rejected, customers) SELECT "
               "workspace_id, mode, program_id, day, SUM(visits), 0, SUM(customers) FROM partner_day GROUP BY 1, 2, 3, 4")
    db.commit()
    db.close()


main()
