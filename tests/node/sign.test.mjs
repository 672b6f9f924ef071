// The signer that the Rust tests use is Stripe's own: its verifier takes what it signs, and nothing else.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import Stripe from 'stripe';

const stripe = new Stripe('sk_test_not_used_for_calls');
const secret = 'whsec_0123456789';
const payload = JSON.stringify({ id: 'evt_1', object: 'event' }, null, 2);
const sign = (jobs) => {
  const script = fileURLToPath(new URL('sign.mjs', import.meta.url));
  const run = spawnSync(process.execPath, [script], { input: JSON.stringify(jobs), encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  return JSON.parse(run.stdout);
};

test('what it signs, the official verifier takes', () => {
  const [header] = sign([{ payload, secret }]);
  assert.equal(stripe.webhooks.constructEvent(payload, header, secret).id, 'evt_1');
});

test('a time that was asked for is the time signed', () => {
  const timestamp = Math.floor(Date.now() / 1000) - 301;
  const [header] = sign([{ payload, secret, timestamp }]);
  assert.match(header, new RegExp(`^t=${timestamp},v1=[0-9a-f]{64}$`));
  assert.throws(() => stripe.webhooks.constructEvent(payload, header, secret), /tolerance/);
});

test('another secret is refused', () => {
  const [header] = sign([{ payload, secret: 'whsec_other' }]);
  assert.throws(() => stripe.webhooks.constructEvent(payload, header, secret), /signatures/);
});
