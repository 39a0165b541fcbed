// What Jest gives a test file, as far as the README's uses it, from the test runner of Node.
const assert = require("node:assert/strict");
const { after, before, test } = require("node:test");

Object.assign(globalThis, {
  afterAll: after,
  beforeAll: before,
  test,
  expect: (found) => ({ toBe: (expected) => assert.equal(found, expected) }),
});
