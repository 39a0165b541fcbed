// The documented receiver's check (docs/webhooks/receiving), over bodies that a test has captured: a JSON array on standard
// input of {body: base64, signature, secret}, one on standard output of {same, valid}.

const crypto = require("node:crypto");
const fs = require("node:fs");

function verifySignature(payload, signature, secretKey) {
  const expected = crypto.createHmac("sha256", secretKey).update(JSON.stringify(payload)).digest("hex");
  return crypto.timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
}

const verdicts = JSON.parse(fs.readFileSync(0, "utf8")).map(({ body, signature, secret }) => {
  const bytes = Buffer.from(body, "base64");
  const payload = JSON.parse(bytes.toString("utf8"));
  return {
    same: Buffer.from(JSON.stringify(payload), "utf8").equals(bytes),
    valid: verifySignature(payload, signature, secret),
  };
});

process.stdout.write(JSON.stringify(verdicts));
