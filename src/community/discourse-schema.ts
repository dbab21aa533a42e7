import { z } from "zod";
import { checked, id, MAX_ID_LENGTH, time } from "../checked.js";
import { MAX_TAGS } from "./event-schema.js";

/**
 * The bodies of Discourse's webhooks, as far as they are read here. Fields that a body may lack, and null, are optional; all others of
 * Discourse's fields are ignored.
 */

// The system user is −1.
const userId = z.int().min(-1);
const username = z.string().min(1).max(MAX_ID_LENGTH);

const place = {
  id: z.int().min(1),
  topic_id: z.int().min(1),
  post_number: z.int().min(1),
  version: z.int().min(1),
  name: z.string().nullish(),
  avatar_template: z.string().nullish(),
  created_at: time.nullish(),
  updated_at: time.nullish(),
  deleted_at: time.nullish(),
  post_type: z.int().nullish(),
  hidden: z.boolean().nullish(),
  reply_to_post_number: z.int().nullish(),
  topic_slug: z.string().nullish(),
  topic_title: z.string().nullish(),
  topic_archetype: z.string().nullish(),
  category_id: z.int().nullish(),
  // Not Discourse's own: where a plugin adds them, in whichever form, they must not refuse a hook.
  topic_tags: z.unknown().optional(),
  tags: z.unknown().optional(),
};

const writtenBody = z.object({ post: z.object({ ...place, user_id: userId, username, raw: z.string() }) });

// What is destroyed may have lost its author.
const placedBody = z.object({ post: z.object({ ...place, user_id: userId.nullish(), username: username.nullish() }) });

const userBody = z.object({
  user: z.object({ id: userId, username, name: z.string().nullish(), avatar_template: z.string().nullish() }),
});

/** A post with its text and author: `post_created`, `post_edited`. */
export type WrittenPost = z.output<typeof writtenBody>["post"];
/** A post of which only the place is sure: `post_destroyed`, `post_recovered`. */
export type PlacedPost = z.output<typeof placedBody>["post"];
export type ForumUser = z.output<typeof userBody>["user"];

/** Each throws BelfryError `bad_request` naming the field and its fault. */
export const writtenPostOf = (body: unknown): WrittenPost => checked(writtenBody, body, "The body").post;
export const placedPostOf = (body: unknown): PlacedPost => checked(placedBody, body, "The body").post;
export const forumUserOf = (body: unknown): ForumUser => checked(userBody, body, "The body").user;

/** The names of the topic's tags, or undefined where the body names none: a tag is its name, or an object that has it. */
export function tagsOf({ topic_tags, tags }: Pick<PlacedPost, "topic_tags" | "tags">): string[] | undefined {
  const given = topic_tags ?? tags;
  if (!Array.isArray(given)) return undefined;
  return given
    .slice(0, MAX_TAGS)
    .map((tag: unknown) => (typeof tag === "object" && tag !== null && "name" in tag ? tag.name : tag))
    .filter((name) => id.safeParse(name).success) as string[];
}
