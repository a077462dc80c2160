import type { Fetcher, FetcherParams } from "@graphiql/toolkit";
import { getOperationAST, OperationTypeNode, parse } from "graphql";
import { follow } from "./follow";
import { ask, askQuietly } from "./http";

/** Subscriptions go through the socket, everything else through HTTP. */
export const fetcher: Fetcher = (params, options) => {
  const headers = options?.headers ?? {};
  if (params.operationName === "IntrospectionQuery") return askQuietly(params, headers);
  return isSubscription(params) ? follow(params, headers) : ask(params, headers);
};

/** Reads the document itself: GraphiQL's own copy lags behind the editor while one types. */
function isSubscription({ query, operationName }: FetcherParams): boolean {
  try {
    const operation = getOperationAST(parse(query), operationName);
    return operation?.operation === OperationTypeNode.SUBSCRIPTION;
  } catch {
    return false; // The server says what is wrong with it.
  }
}
