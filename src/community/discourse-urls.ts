import { MAX_URL_LENGTH } from "../checked.js";

/** Pixels of an avatar's side; forums render it at any size. */
const AVATAR_SIZE = "48";

// Discourse sends slugs already encoded; anything else could point somewhere else on the site.
const SLUG = /^[\w%.~-]+$/;

/** The forum's address without a slash at its end, or null where the hook's `X-Discourse-Instance` is not a web address. */
export function baseOf(instance: string): string | null {
  if (instance.length > MAX_URL_LENGTH || !/^https?:\/\//i.test(instance) || !URL.canParse(instance)) return null;
  const { origin, pathname } = new URL(instance);
  return (origin + pathname).replace(/\/+$/, "");
}

export function topicUrl(base: string, topic: number, slug: string | null | undefined): string {
  return slug != null && SLUG.test(slug) ? `${base}/t/${slug}/${topic}` : `${base}/t/${topic}`;
}

/** The picture's address from Discourse's template, which may be relative to the forum; undefined where that is no web address. */
export function avatarUrl(base: string | null, template: string): string | undefined {
  const path = template.replaceAll("{size}", AVATAR_SIZE);
  const from = base === null ? undefined : `${base}/`;
  if (path.length > MAX_URL_LENGTH || !URL.canParse(path, from)) return undefined;
  const { href, protocol } = new URL(path, from);
  return protocol === "http:" || protocol === "https:" ? href : undefined;
}
