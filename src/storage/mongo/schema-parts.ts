import { Schema } from "mongoose";

/** What the schemas of all collections have in common. */

/** Indexes are made by migrations, never behind the program's back; a query by a field that does not exist is a fault, not "all". */
export const OPTIONS = {
  autoIndex: false,
  autoCreate: false,
  bufferCommands: false,
  strictQuery: "throw",
  versionKey: false,
  minimize: false,
} as const;

export const text = { type: String, required: true } as const;
export const number = { type: Number, required: true } as const;
export const someText = { type: String } as const;
export const someNumber = { type: Number } as const;
export const part = <T>(fields: T) => ({ type: new Schema(fields as never, { _id: false }), required: true });
