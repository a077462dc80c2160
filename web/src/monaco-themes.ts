export const editorThemes = { dark: "dendro-dark", light: "dendro-light" };

/** What every editor is told once it is there. */
export const editorLook = {
  fontFamily: '"JetBrains Mono", ui-monospace, monospace',
  fontSize: 13,
  lineHeight: 20,
  scrollBeyondLastColumn: 0,
  scrollbar: { verticalScrollbarSize: 8, horizontalScrollbarSize: 8 },
};

/** GraphiQL takes editor themes by name, so they must be there before it starts. */
export async function defineThemes(): Promise<void> {
  const { editor } = await import("monaco-graphql/esm/monaco-editor.js");
  editor.defineTheme(editorThemes.dark, {
    base: "vs-dark",
    inherit: true,
    colors: surface(dark),
    rules: tokens(dark),
  });
  editor.defineTheme(editorThemes.light, {
    base: "vs",
    inherit: true,
    colors: surface(light),
    rules: tokens(light),
  });
}

interface Palette {
  text: string;
  faint: string;
  keyword: string;
  type: string;
  argument: string;
  string: string;
  number: string;
  accent: string;
  raised: string;
  line: string;
}

const dark: Palette = {
  text: "#d6d8de",
  faint: "#6f7480",
  keyword: "#7fc8a0",
  type: "#8fb8f0",
  argument: "#b5a5f0",
  string: "#e3b581",
  number: "#e08fa0",
  accent: "#5fbf8e",
  raised: "#1d1f24",
  line: "#2d3037",
};

const light: Palette = {
  text: "#24272e",
  faint: "#8b909c",
  keyword: "#1d7a4d",
  type: "#2a62b8",
  argument: "#6848c4",
  string: "#9a5b13",
  number: "#b3364f",
  accent: "#1f8a57",
  raised: "#ffffff",
  line: "#e3e5ea",
};

/** Token names are Monaco's: `.gql` from its GraphQL grammar, `.json` from its JSON one. */
function tokens(palette: Palette) {
  const rule = (token: string, colour: string) => ({ token, foreground: colour.slice(1) });
  return [
    rule("", palette.text),
    rule("comment", palette.faint),
    rule("keyword", palette.keyword),
    rule("type", palette.type),
    rule("type.identifier", palette.type),
    rule("key.identifier", palette.text),
    rule("argument.identifier", palette.argument),
    rule("string", palette.string),
    rule("number", palette.number),
    rule("delimiter", palette.faint),
    rule("string.key.json", palette.type),
    rule("string.value.json", palette.string),
    rule("keyword.json", palette.keyword),
  ];
}

function surface(palette: Palette): Record<string, string> {
  return {
    "editor.background": "#00000000",
    "scrollbar.shadow": "#00000000",
    "scrollbarSlider.background": `${palette.faint}40`,
    "scrollbarSlider.hoverBackground": `${palette.faint}66`,
    "scrollbarSlider.activeBackground": `${palette.faint}80`,
    "editor.lineHighlightBorder": "#00000000",
    "editorLineNumber.foreground": `${palette.faint}99`,
    "editorLineNumber.activeForeground": palette.text,
    "editorCursor.foreground": palette.accent,
    "editor.selectionBackground": `${palette.accent}40`,
    "editorIndentGuide.background1": palette.line,
    "editorWidget.background": palette.raised,
    "editorWidget.border": palette.line,
    "editorHoverWidget.background": palette.raised,
    "editorHoverWidget.border": palette.line,
    "editorSuggestWidget.background": palette.raised,
    "editorSuggestWidget.border": palette.line,
    "editorSuggestWidget.selectedBackground": `${palette.accent}26`,
    "editorSuggestWidget.selectedForeground": palette.text,
    "editorSuggestWidget.highlightForeground": palette.accent,
    "editorSuggestWidget.focusHighlightForeground": palette.accent,
    "list.hoverBackground": `${palette.accent}1a`,
    "textLink.foreground": palette.accent,
    "textLink.activeForeground": palette.accent,
    "input.background": `${palette.line}80`,
    "quickInput.background": palette.raised,
    focusBorder: palette.accent,
    // Brackets in six colours would say more loudly than names do what indentation says already.
    ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((depth) => [`editorBracketHighlight.foreground${depth}`, palette.faint])),
  };
}
