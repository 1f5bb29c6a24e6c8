// Markdown of answers as safe elements: built one by one, text only ever as text, so nothing that was written is markup.
// Paragraphs, line breaks, **strong**, *emphasis*, `code`, lists, [links](https://…). All else is shown as it stands.

const LINK = /^(?:https?:\/\/|mailto:)[^\s<>"'`\\]+$/i;
const INLINE = /\*\*([^*\n]+)\*\*|\*([^*\n]+)\*|`([^`\n]+)`|\[([^\]\n]+)\]\(([^()\s]+)\)/g;
const ITEM = /^\s{0,3}(?:[-*+]|(\d{1,3})[.)])\s+(.*)$/;

const made = (name, ...children) => {
  const element = document.createElement(name);
  element.append(...children);
  return element;
};

const inline = (text) => {
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    const [all, strong, emphasis, code, label, address] = found;
    if (found.index > from) nodes.push(text.slice(from, found.index));
    from = found.index + all.length;
    if (strong !== undefined) nodes.push(made("strong", ...inline(strong)));
    else if (emphasis !== undefined) nodes.push(made("em", ...inline(emphasis)));
    else if (code !== undefined) nodes.push(made("code", code));
    else if (LINK.test(address)) {
      const link = made("a", label);
      link.href = address;
      link.rel = "noopener noreferrer";
      link.target = "_blank";
      nodes.push(link);
    } else nodes.push(all);
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
};

export const rendered = (text) => {
  const page = document.createDocumentFragment();
  let list = null;
  let paragraph = null;
  for (const line of text.split("\n")) {
    const item = ITEM.exec(line);
    if (item) {
      const kind = item[1] === undefined ? "UL" : "OL";
      if (!list || list.tagName !== kind) {
        list = made(kind.toLowerCase());
        page.append(list);
      }
      list.append(made("li", ...inline(item[2])));
      paragraph = null;
    } else if (!line.trim()) {
      list = paragraph = null;
    } else {
      list = null;
      if (paragraph) paragraph.append(made("br"), ...inline(line));
      else page.append((paragraph = made("p", ...inline(line))));
    }
  }
  return page;
};
