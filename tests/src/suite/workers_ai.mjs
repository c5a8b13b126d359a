// Workers AI as a Worker sees it: the class workerd has for the binding `AI`, whose calls are answered by an upstream of ours.

const module = (path, contents) => [{ type: "ESModule", path, contents }];

const BINDING = 'import { Ai } from "cloudflare-internal:ai-api"; export default ({ FETCHER }) => new Ai(FETCHER);';

// In Cloudflare's place, a Worker too: so that a call that is given up is given up here.
const SERVICE = `export default {
  async fetch(request, { UPSTREAM }) {
    const { inputs, options } = await request.json();
    const model = request.headers.get("cf-consn-model-id");
    if (request.url !== "https://workers-binding.ai/run?version=3" || options.returnRawResponse !== true)
      return new Response(\`unexpected: \${request.url} \${JSON.stringify(options)}\`, { status: 500 });
    const headers = { "content-type": "application/json" };
    return fetch(\`\${UPSTREAM}/run/\${model}\`, { method: "POST", headers, body: JSON.stringify(inputs), signal: request.signal });
  },
};`;

/** The wrapped binding of that name, and its service. `POST {upstream}/run/{model}` gets what `env.AI.run` was given. */
export function boundWorkersAi(name, upstream, settings) {
  const service = `${name}-service`;
  return [
    { name, modules: module("binding.mjs", BINDING), serviceBindings: { FETCHER: service } },
    { ...settings, name: service, modules: module("service.mjs", SERVICE), bindings: { UPSTREAM: upstream } },
  ];
}
