// The least a Worker can be: what starting the runtime itself costs.
export default {
  fetch() {
    return Response.json({ status: "ok" });
  },
};
