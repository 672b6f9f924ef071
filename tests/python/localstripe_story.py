"""Drives localstripe with Stripe's official SDK.

In: JSON {"base", "step", ...}; out: JSON. Steps:
  customers  {"count"}      makes customers; every third carries metadata customer_key. Answers [{"id", "email", "key"}].
  subscribe  {"customers"}  gives each a card, and one or two subscriptions to plans of its own.
  sums       {"partners"}   adds up, over all paid invoices, what each partner earns: exact fractions, half to even.
"""

import json
import sys
from fractions import Fraction

import stripe

asked = json.load(sys.stdin)
stripe.api_key = "sk_test_localstripe"
stripe.api_base = asked["base"]
stripe.max_network_retries = 0


def customers():
    made = []
    for n in range(asked["count"]):
        fields = {"email": f"buyer{n}@localstripe.example", "name": f"Buyer {n}"}
        if n % 3 == 0:
            fields["metadata"] = {"customer_key": f"shop-{n}"}
        made.append({"n": n, "id": stripe.Customer.create(**fields)["id"], "email": fields["email"]})
    return made


def subscribe():
    plans = []
    for n, (currency, amount) in enumerate(
        [("usd", 4999), ("usd", 1), ("eur", 1235), ("eur", 20005), ("usd", 333), ("jpy", 1500)]
    ):
        product = stripe.Product.create(name=f"Product {n}", type="service")
        plan = stripe.Plan.create(
            id=f"plan-{n}", product=product["id"], amount=amount, currency=currency, interval="month"
        )
        plans.append(plan["id"])
    tax = stripe.TaxRate.create(display_name="VAT", percentage=19, inclusive=False)
    subscriptions = 0
    for n, customer in enumerate(asked["customers"]):
        card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}
        method = stripe.PaymentMethod.create(type="card", card=card)
        stripe.PaymentMethod.attach(method["id"], customer=customer["id"])
        stripe.Customer.modify(customer["id"], invoice_settings={"default_payment_method": method["id"]})
        for again in range(1 + n % 2):
            fields = {"items": [{"plan": plans[(n + again) % len(plans)], "quantity": 1 + n % 4}]}
            if n % 4 == 0:
                fields["default_tax_rates"] = [tax["id"]]
            stripe.Subscription.create(customer=customer["id"], **fields)
            subscriptions += 1
    return {"subscriptions": subscriptions}


def sums():
    rate = Fraction(3, 10)
    partners, totals, paid = asked["partners"], {}, 0
    page = stripe.Invoice.list(limit=20)
    while True:
        for invoice in page["data"]:
            if invoice["status"] != "paid" or invoice["total"] <= 0:
                continue
            paid += 1
            base = Fraction(invoice["total"] - (invoice["tax"] or 0))
            base *= Fraction(min(invoice["amount_paid"], invoice["total"]), invoice["total"])
            place = totals.setdefault(partners[invoice["customer"]], {})
            place[invoice["currency"]] = place.get(invoice["currency"], 0) + round(base * rate)
        if not page["has_more"]:
            break
        page = stripe.Invoice.list(limit=20, starting_after=page["data"][-1]["id"])
    return {"paid": paid, "totals": totals}


json.dump({"customers": customers, "subscribe": subscribe, "sums": sums}[asked["step"]](), sys.stdout)
