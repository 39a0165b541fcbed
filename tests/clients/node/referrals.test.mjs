// A client team's own suite, written with Node's fetch: of the sandbox it knows what its environment says.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

const { COBALT_BASE_URL, COBALT_CLIENT_ID, COBALT_CLIENT_SECRET, COBALT_ACCESS_TOKEN, COBALT_SANDBOX_URL } = process.env;
const headers = {
  client_id: COBALT_CLIENT_ID,
  client_secret: COBALT_CLIENT_SECRET,
  access_token: COBALT_ACCESS_TOKEN,
  "content-type": "application/json",
};
const received = [];
const receiver = createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  received.push({ body: Buffer.concat(pieces), headers: request.headers });
  response.end("Webhook received");
});

async function call(method, path, body) {
  const answer = await fetch(COBALT_BASE_URL + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

before(async () => {
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
});
after(() => receiver.close());

test("a referral is created later, and a signed webhook says so", async () => {
  const webhook_url = `http://127.0.0.1:${receiver.address().port}/webhook`;
  const { webhook_secret } = (await call("POST", "/webhook", { webhook_url })).body;
  const queued = await call("POST", "/referrals", {
    patient_mrn: "1234567",
    referring_from_provider_ehr_id: "PROV-001",
    referring_to_provider_ehr_id: "PROV-002",
    direction: "outgoing",
    priority: "urgent",
    reason: "Cardiology consultation",
  });
  assert.equal(queued.status, 200);
  await fetch(`${COBALT_SANDBOX_URL}/_sandbox/clock/settle`, { method: "POST" });
  const [webhook] = received;
  assert.equal(webhook.headers["cobalt-verification"], createHmac("sha256", webhook_secret).update(webhook.body).digest("hex"));
  const event = JSON.parse(webhook.body);
  assert.equal(event.type, "referral.created");
  assert.equal(event.data.referral_id, queued.body.referral_id);
});

test("an unknown provider is refused", async () => {
  const refused = await call("PATCH", "/providers/nobody", { status: "inactive" });
  assert.deepEqual([refused.status, refused.body.success], [404, false]);
});
