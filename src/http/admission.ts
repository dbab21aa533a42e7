import type { RequestHandler, Response } from "express";
import { BelfryError } from "../errors.js";
import type { Actor } from "../moderation/types.js";
import type { Credentials, Visitor } from "./credentials.js";

/** Admits servers only. */
export function admitServer(credentials: Credentials): RequestHandler {
  return (request, _response, next) => {
    credentials.requireServer(request);
    next();
  };
}

/** Admits members; `visitorOf` tells who it is. */
export function admitMember(credentials: Credentials): RequestHandler {
  return async (request, response, next) => {
    response.locals.visitor = await credentials.requireMember(request);
    next();
  };
}

/** The member that `admitMember` has let in. */
export function visitorOf(response: Response): Visitor {
  return response.locals.visitor as Visitor;
}

/** Admits servers and members of any role, as acts of those without one are for `Moderation` to refuse; `actorOf` tells who it is. */
export function admitStaff(credentials: Credentials): RequestHandler {
  return async (request, response, next) => {
    response.locals.actor = await credentials.requireStaff(request);
    next();
  };
}

/** The one whom `admitStaff` has let in. */
export function actorOf(response: Response): Actor {
  return response.locals.actor as Actor;
}

/** For what is read and not done: goes after `admitStaff`. @throws BelfryError `forbidden` for a member without a role. */
export const requireRank: RequestHandler = (_request, response, next) => {
  if (actorOf(response).rank === null) {
    throw new BelfryError("forbidden", "This call is for servers and moderators; this token has neither the role moderator nor admin.");
  }
  next();
};

/** For what only servers say: goes after `admitStaff`. @throws BelfryError `forbidden` for every member. */
export const requireServerRank: RequestHandler = (_request, response, next) => {
  if (actorOf(response).rank !== "server") {
    throw new BelfryError("forbidden", "This call is for servers: send an API key, not a member's token.");
  }
  next();
};
