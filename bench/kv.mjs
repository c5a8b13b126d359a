// A KV namespace in memory, as far as the Worker uses one: workerd asks a service over HTTP for its KV bindings.
const values = new Map();

export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const name = decodeURIComponent(pathname.slice(1));
    if (request.method === "PUT") values.set(name, await request.arrayBuffer());
    else if (request.method === "DELETE") values.delete(name);
    else if (name === "") {
      const prefix = searchParams.get("prefix") ?? "";
      const keys = [...values.keys()].filter((key) => key.startsWith(prefix)).map((key) => ({ name: key }));
      return Response.json({ keys, list_complete: true });
    } else return values.has(name) ? new Response(values.get(name)) : new Response("Not Found", { status: 404 });
    return new Response();
  },
};
