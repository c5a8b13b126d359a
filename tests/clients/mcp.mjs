// The official MCP clients as readers of the gateway's definitions: `node mcp.mjs`, with URL and KEY. Prints one line of JSON for
// each: which client, which revision it came to speak, and what it read.
import { Client as OlderClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OlderTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const clients = {
  sdk: [OlderClient, OlderTransport, {}],
  client: [Client, StreamableHTTPClientTransport, {}],
  client_without_handshake: [Client, StreamableHTTPClientTransport, { versionNegotiation: { mode: "auto" } }],
};

for (const [name, [Kind, Transport, options]] of Object.entries(clients)) {
  try {
    const client = new Kind({ name: "signalbox-tests", version: "1" }, options);
    const headers = { authorization: `Bearer ${process.env.KEY}` };
    const transport = new Transport(new URL(process.env.URL), { requestInit: { headers } });
    await client.connect(transport);
    const { resources } = await client.listResources();
    const { resourceTemplates } = await client.listResourceTemplates();
    const { contents } = await client.readResource({ uri: resources[0].uri });
    const hidden = await client.readResource({ uri: "signalbox://context/theirs" }).then(
      () => "read",
      () => "refused",
    );
    const version = client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion;
    const said = { resources: resources.map(({ uri }) => uri), text: contents[0].text, hidden, version };
    console.log(JSON.stringify({ client: name, ...said, templates: resourceTemplates.map(({ uriTemplate }) => uriTemplate) }));
    await client.close();
  } catch (error) {
    console.log(JSON.stringify({ client: name, failed: String(error?.stack ?? error) }));
  }
}
