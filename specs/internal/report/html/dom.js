"use strict";

// make returns a new element with attributes and children. Texts become text nodes, never markup.
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

// printable replaces control characters and those that change the direction of a text, as the rest of the report does.
const printable = text => text.replace(/[\p{Cc}\p{Cf}]/gu, c => (c === "\n" || c === "\t" ? c : "\uFFFD"));

// embedded is the value of one of the page's data elements.
const embedded = id => JSON.parse(document.getElementById(id).textContent);

// announce says a sentence to a screen reader.
const announce = text => { document.getElementById("announce").textContent = text; };
