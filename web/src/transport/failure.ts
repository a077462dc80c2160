/** An error that is all message: GraphiQL would print a stack, which tells its reader nothing. */
export function failure(message: string): Error {
  const error = new Error(message);
  delete error.stack;
  return error;
}
