// Creates a container of an Azure Blob account: node create_container.js ENDPOINT ACCOUNT KEY CONTAINER
const { call } = require("./azure.js");

const [endpoint, account, key, container] = process.argv.slice(2);
call({ endpoint, account, key }, "PUT", `/${container}`, { restype: "container" }, 201);
