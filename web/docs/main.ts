import "../src/fonts.css";
import "./docs.css";
import "rapidoc";

/** The colours of GraphiQL's page, in the words of this library. */
const looks = {
  light: {
    theme: "light",
    "bg-color": "#ffffff",
    "text-color": "#31363f",
    "primary-color": "#1f8a5b",
    "nav-bg-color": "#f8f8f9",
    "nav-text-color": "#4b515c",
    "nav-hover-bg-color": "#edeef0",
    "nav-hover-text-color": "#31363f",
    "nav-accent-color": "#1f8a5b",
  },
  dark: {
    theme: "dark",
    "bg-color": "#131417",
    "text-color": "#d3d6dc",
    "primary-color": "#5dc093",
    "nav-bg-color": "#191b1f",
    "nav-text-color": "#b3b7c0",
    "nav-hover-bg-color": "#24272c",
    "nav-hover-text-color": "#e4e6ea",
    "nav-accent-color": "#5dc093",
  },
};

/** What the library has no setting for: it sets the licence left of the title, and methods in colours too dim to read. */
const mended = new CSSStyleSheet();
mended.replaceSync(`
  #api-info { margin-left: 0; }
  #api-info span:first-child::before { display: none; }
  *, *::before, *::after, :host {
    --nav-get-color: #1a6fb0; --nav-put-color: #a35200; --nav-post-color: #3c7619; --nav-delete-color: #c0392b;
    --nav-head-color: #6d6413;
  }
  @media (prefers-color-scheme: dark) {
    *, *::before, *::after, :host {
      --nav-get-color: #71b7ff; --nav-put-color: #f08d49; --nav-post-color: #7ec699; --nav-delete-color: #f06560;
      --nav-head-color: #d3b954; --yellow: #d3b954;
    }
  }
`);

const always = {
  "spec-url": "/api/v1/openapi.json",
  "render-style": "focused",
  "schema-style": "table",
  "regular-font": '"Inter", system-ui, sans-serif',
  "mono-font": '"JetBrains Mono", ui-monospace, monospace',
  "font-size": "default",
  "load-fonts": "false",
  "show-header": "false",
  "show-method-in-nav-bar": "as-colored-text",
  "nav-item-spacing": "compact",
  "allow-authentication": "false",
  "allow-server-selection": "false",
  "allow-spec-file-download": "false",
  "allow-spec-file-load": "false",
  "allow-spec-url-load": "false",
  "fill-request-fields-with-example": "false",
  "show-curl-before-try": "true",
  "default-schema-tab": "schema",
  "schema-description-expanded": "true",
  "sort-endpoints-by": "none",
  "update-route": "true",
};

const dark = matchMedia("(prefers-color-scheme: dark)");
const page = document.createElement("rapi-doc");

function set(attributes: Record<string, string>): void {
  for (const [name, value] of Object.entries(attributes)) page.setAttribute(name, value);
}

function dress(): void {
  set(dark.matches ? looks.dark : looks.light);
}

set(always);
dress();
dark.addEventListener("change", dress);
document.body.append(page);
page.shadowRoot?.adoptedStyleSheets.push(mended);
