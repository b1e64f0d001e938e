// Making elements, without a single line of HTML from data.

/** Make an element: properties that start with "on" are listeners, null and false are left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  return fill(element, ...children);
}

/** Put children into an element in place of what it holds; null and false are left out. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

const ICONS = {
  menu: "M3 6h18M3 12h18M3 18h18",
  people: "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8M2 21a7 7 0 0 1 14 0M16 3.500a4 4 0 0 1 0 7.500M22 21a7 7 0 0 0-5-6.7",
  reply: "M9 14 4 9l5-5M4 9h10a6 6 0 0 1 6 6v5",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M8.5 14.500a4.5 4.5 0 0 0 7 0M9 9.500v.010M15 9.500v.010",
  pen: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  bin: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
  why: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M9.5 9.500a2.5 2.5 0 1 1 3.5 2.300c-.700.3-1 .800-1 1.700M12 16.500v.010",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  plus: "M12 5v14M5 12h14",
  send: "M4 12 20 4l-5 16-4-6z",
  close: "M6 6l12 12M18 6 6 18",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9v.010",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  gear: "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M9 19.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5",
  keys: "M3 7h18v11H3zM7 11h.010M11 11h.010M15 11h.010M8 15h8",
  calendar: "M4 6h16v14H4zM4 10h16M8 3v4M16 3v4",
  eye: "M2 12s3.5-6 10-6 10 6 10 6-3.5 6-10 6-10-6-10-6M12 14.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5",
};
const SVG = "http://www.w3.org/2000/svg";

/** Draw one of the page's own icons. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Make a button that shows an icon and tells its meaning to everybody. */
export function iconButton(name, label, onclick, properties = {}) {
  const { class: more = "", ...rest } = properties;
  return h("button", { type: "button", class: `quiet ${more}`, "aria-label": label, title: label, onclick, ...rest }, icon(name));
}

/** Make a member's picture: the first letters of their name on a colour of their own. */
export function avatar(member, small = false) {
  const size = small ? " small" : "";
  if (member.bot) return h("img", { class: `avatar${size}`, src: "/static/icon.svg", alt: "" });
  const letters = /^[\p{Script=Han}]/u.test(member.name)
    ? member.name.slice(0, 1)
    : member.name.split(/\s+/).slice(0, 2).map((word) => [...word][0] || "").join("").toUpperCase();
  const hue = [...member.id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 997, 7) % 8;
  return h("span", { class: `avatar hue-${hue}${size}`, "aria-hidden": "true" }, letters);
}
