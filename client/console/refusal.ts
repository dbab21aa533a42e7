/** Why a call was not carried out. `code` is one of the protocol's table, or `unreachable`. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export function asRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal("internal", error instanceof Error ? error.message : String(error));
}
