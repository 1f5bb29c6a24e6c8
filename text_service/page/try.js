// Tries flows by the requests that programs make; the key is kept nowhere but in this page.

const part = (id) => document.getElementById(id);
let client = "";
let flows = false;

const fresh = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  client = `try_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
};

const asked = async (path, options = {}) => {
  const key = part("key").value;
  const headers = { "Content-Type": "application/json", ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  const answer = await fetch(path, { ...options, headers });
  const body = answer.status === 204 ? {} : await answer.json();
  part("trouble").textContent = answer.ok ? "" : `${answer.status} ${body.error}: ${body.detail}`;
  return answer.ok ? body : null;
};

const begin = async () => {
  const body = await asked("/api/text/flows");
  flows = Boolean(body);
  part("flow").replaceChildren(...(body?.flows ?? []).map((name) => new Option(name, name, false, name === body.default)));
};

part("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  begin();
});
part("fresh").addEventListener("click", async () => {
  await asked(`/api/text/history/${client}`, { method: "DELETE" });
  part("rows").replaceChildren();
  fresh();
});
part("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!flows) await begin();
  const query = part("query").value;
  const body = JSON.stringify({ client_id: client, query, flow: part("flow").value });
  const answer = await asked("/api/text/query", { method: "POST", body });
  if (!answer) return;
  const row = document.createElement("tr");
  const cells = [query, answer.response, answer.elapsed_ms, answer.cached ? "cache" : answer.model, answer.ended];
  row.append(...cells.map((text) => Object.assign(document.createElement("td"), { textContent: String(text) })));
  part("rows").prepend(row);
  part("query").value = "";
});
fresh();
begin();
