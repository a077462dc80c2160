import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import type { GraphiQLPlugin } from "@graphiql/react";
import { GraphiQL } from "graphiql";
import { DressEditors, FollowSystemTheme, StopOnTabChange } from "./housekeeping";
import mark from "./mark.svg";
import { editorThemes } from "./monaco-themes";
import { first } from "./samples";
import { samplesPlugin } from "./samples/plugin";
import { StatusLine } from "./StatusLine";
import { fetcher } from "./transport/fetcher";

const plugins: GraphiQLPlugin[] = [samplesPlugin, explorerPlugin(), HISTORY_PLUGIN];

/** Any JSON is a good value of these; without this the variables editor marks objects as wrong. */
const customScalarSchemas = { JSON: {} };

export function App() {
  return (
    <GraphiQL
      fetcher={fetcher}
      plugins={plugins}
      {...(neverChosen() && { visiblePlugin: samplesPlugin })}
      defaultQuery={first.text}
      defaultEditorToolsVisibility="variables"
      editorTheme={editorThemes}
      customScalarSchemas={customScalarSchemas}
      inputValueDeprecation
      schemaDescription
      shouldPersistHeaders={false}
      showPersistHeadersSettings={false}
    >
      <GraphiQL.Logo>
        <a className="dendro-logo" href="/graphiql" aria-label="Dendro">
          <img src={mark} alt="" width="18" height="18" />
          Dendro
        </a>
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <StatusLine />
      </GraphiQL.Footer>
      <DressEditors />
      <FollowSystemTheme />
      <StopOnTabChange />
    </GraphiQL>
  );
}

/** The samples are open on a first visit; after that, whatever the user left open. */
function neverChosen(): boolean {
  return localStorage.getItem("graphiql:visiblePlugin") === null;
}
