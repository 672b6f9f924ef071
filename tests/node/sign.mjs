// Signs webhook bodies with Stripe's own SDK. In: a JSON list of {payload, secret, timestamp?}; out: a list of headers.
import Stripe from 'stripe';

const stripe = new Stripe('sk_test_not_used_for_calls');
let input = '';
for await (const chunk of process.stdin) input += chunk;
const headers = JSON.parse(input).map(({ payload, secret, timestamp }) =>
  stripe.webhooks.generateTestHeaderString({ payload, secret, ...(timestamp === undefined ? {} : { timestamp }) }));
process.stdout.write(JSON.stringify(headers));
