"""Signs webhook bodies with Stripe's own SDK. In: a JSON list of {payload, secret, timestamp}; out: a list of headers."""

import json
import sys

import stripe

jobs = json.load(sys.stdin)
headers = []
for job in jobs:
    t = int(job["timestamp"])
    signature = stripe.WebhookSignature._compute_signature(f"{t}.{job['payload']}", job["secret"])
    header = f"t={t},v1={signature}"
    # The SDK's own verdict on its own header, where its clock allows it.
    stripe.WebhookSignature.verify_header(job["payload"], header, job["secret"], tolerance=None)
    headers.append(header)
json.dump(headers, sys.stdout)
