// The SDK's testing package registers matchers with Jest at its import; these tests use node:assert, so nothing is registered.
(globalThis as Record<string, unknown>)["expect"] = { extend: () => undefined };
export {};
