// Creates a container of an Azure Blob account: node create_container.js ENDPOINT ACCOUNT KEY CONTAINER
const crypto = require("node:crypto");

const [endpoint, account, key, container] = process.argv.slice(2);
const date = new Date().toUTCString();
const version = "2021-12-02";
// Shared Key: verb, eleven empty standard headers, the x-ms- headers, the resource (an emulator names the account twice).
const signed = [
  "PUT", ...Array(11).fill(""),
  `x-ms-date:${date}`, `x-ms-version:${version}`,
  `/${account}${new URL(endpoint).pathname}/${container}`, "restype:container",
].join("\n");
const signature = crypto.createHmac("sha256", Buffer.from(key, "base64")).update(signed, "utf8").digest("base64");
fetch(`${endpoint}/${container}?restype=container`, {
  method: "PUT",
  headers: {
    "x-ms-date": date,
    "x-ms-version": version,
    authorization: `SharedKey ${account}:${signature}`,
  },
}).then(async (answer) => {
  if (answer.status !== 201) {
    console.error(answer.status, await answer.text());
    process.exit(1);
  }
});
