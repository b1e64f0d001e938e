// Talking to the server: questions, deeds, and the stream of changes.
import { store } from "./store.js";
import { knows, t } from "./words.js";

/** What the server refused, in the reader's language. */
export class Refused extends Error {}

async function answer(response) {
  const told = await response.json().catch(() => ({ error: response.statusText }));
  if (response.ok) return told;
  const key = `refused.${told.code}`;
  throw new Refused(told.code && knows(key) ? t(key, told.details) : told.error);
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    throw new Refused(t("unreachable"));
  }
}

/** Ask for something as the member one is. */
export async function ask(path, details = {}) {
  return answer(await reach(`/api/${path}?${new URLSearchParams({ as: store.me, language: store.language, ...details })}`));
}

/** Do something as the member one is; it is on disk when this returns. */
export async function act(deed, details = {}) {
  const by = deed === "arrive" ? {} : { by: store.me };
  const headers = { "content-type": "application/json", "x-kinfolk": "page" };
  return answer(await reach(`/api/do?language=${store.language}`, { method: "POST", headers, body: JSON.stringify({ deed, ...by, ...details }) }));
}

let source = null;

/** Follow what changes. The browser connects again by itself and says where it was. */
export function follow({ message, space, over, connected }) {
  source?.close();
  source = new EventSource(`/api/stream?${new URLSearchParams({ as: store.me, after: store.position })}`);
  source.addEventListener("message", (event) => message(JSON.parse(event.data)));
  source.addEventListener("space", space);
  source.addEventListener("over", () => {
    source.close();
    over();
  });
  source.addEventListener("open", () => connected(true));
  source.addEventListener("error", () => connected(false));
}
