// The rules that the schema keeps: those that graphql-eslint recommends, and Relay's.
import graphql from "@graphql-eslint/eslint-plugin";

/** The recommended names, but for the fields that answer queries by conditions. */
function naming() {
  const [level, options] = graphql.configs["flat/schema-recommended"].rules["@graphql-eslint/naming-convention"];
  const fields = "FieldDefinition[parent.name.value=Query]";
  const ignorePattern = "^(queryTraces|querySpans|explainTraceQuery)$";
  return [level, { ...options, [fields]: { ...options[fields], ignorePattern } }];
}

export default [
  {
    files: ["**/*.graphql"],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: process.env.SCHEMA } },
    },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,
      // What is asked of `queryTraces` is a query, unlike what is listed by `traces`.
      "@graphql-eslint/naming-convention": naming(),
      // A connection, an edge and a mutation's payload are no things of their own, and figures are not either: a
      // client that kept them by an id would show old ones.
      "@graphql-eslint/strict-id-in-types": [
        "error",
        {
          exceptions: {
            types: [
              "PageInfo",
              "AddDatasetItemResult",
              "ConversationEvaluation",
              "ConversationsEvaluation",
              "DifferenceInterval",
              "ExperimentCounts",
              "LatencySummary",
              "PairMeasure",
              "ScoreCategory",
              "TraceAnalysis",
            ],
            suffixes: ["Connection", "Edge", "Payload", "Figures", "Comparison"],
          },
        },
      ],
    },
  },
];
