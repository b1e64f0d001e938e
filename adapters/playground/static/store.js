// What the page knows: the space as one member sees it, and where the reader is.

const saved = (name, otherwise) => localStorage.getItem(`kinfolk.${name}`) ?? otherwise;

export const store = {
  me: saved("me", ""),
  language: saved("language", navigator.language.startsWith("zh") ? "zh_CN" : "en"),
  theme: saved("theme", "auto"),
  begun: saved("begun", ""),
  space: "",
  bot: "",
  members: new Map(),
  rooms: new Map(),
  commands: [],
  position: "",
  room: "",
  logs: new Map(), // of each channel: {messages: Map of id to message, more: whether older ones are to be had}
  unread: new Map(),
  reply: null,
  editing: null,
  side: { tab: "members", message: "", traces: null },
};

/** Remember a choice on this machine. */
export function remember(name, value) {
  store[name] = value;
  localStorage.setItem(`kinfolk.${name}`, value);
}

export const me = () => store.members.get(store.me);
export const isStaff = () => (me()?.rank ?? 0) >= 1;
export const member = (id) => store.members.get(id) ?? { id, name: id, bot: false, rank: 0, state: "out", roles: [] };
export const room = () => store.rooms.get(store.room);
export const log = (id) => store.logs.get(id);

/** Take over what the server says of channels and members. */
export function takeState(state) {
  Object.assign(store, { space: state.space, bot: state.bot, commands: state.commands });
  store.members = new Map(state.members.map((one) => [one.id, one]));
  store.rooms = new Map(state.rooms.map((one) => [one.id, one]));
  if (store.me !== state.me) remember("me", state.me);
  if (!store.rooms.has(store.room)) goHome();
}

/** Remember a channel's messages, oldest first, and whether there are older ones. */
export function keepLog(id, messages, more) {
  store.logs.set(id, { messages: new Map(messages.map((one) => [one.id, one])), more, newest: messages.at(-1) ?? null });
}

/** Take over a message; says whether it was not there before, and which one it follows. */
export function takeMessage(message) {
  const known = log(message.room);
  if (!known) return { message, fresh: true, before: null };
  const fresh = !known.messages.has(message.id), before = known.newest;
  known.messages.set(message.id, message);
  if (fresh || before?.id === message.id) known.newest = message;
  return { message, fresh, before };
}

/** Go to where this member is most at home. */
export function goHome() {
  store.room = firstRoom();
}

function firstRoom() {
  const open = [...store.rooms.values()].filter((one) => one.audience === "everyone" && !one.archived);
  const rank = (one) => (one.joined ? 1e6 : 0) + one.members.length;
  return open.sort((a, b) => rank(b) - rank(a))[0]?.id ?? store.rooms.keys().next().value ?? "";
}
