// The rules that the schema keeps: those that graphql-eslint recommends, and Relay's.
import graphql from "@graphql-eslint/eslint-plugin";

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
      // A connection, an edge and a mutation's payload are no things of their own, and figures are not either: a
      // client that kept them by an id would show old ones.
      "@graphql-eslint/strict-id-in-types": [
        "error",
        {
          exceptions: {
            types: ["PageInfo", "TraceAnalysis", "ConversationEvaluation", "ConversationsEvaluation"],
            suffixes: ["Connection", "Edge", "Payload", "Figures", "Comparison"],
          },
        },
      ],
    },
  },
];
