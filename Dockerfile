ARG NODE=node:22-bookworm-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build
# The compiler is no development dependency, because `npm start` builds; the image is built already.
RUN npm prune --omit=dev && rm -rf node_modules/typescript node_modules/@typescript node_modules/.bin

FROM ${NODE}
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /app
RUN install -d -o node -g node /data
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY client/demo client/demo
USER node
VOLUME /data
EXPOSE 3000
# /health says that the process is up. Readiness (/ready) is for whoever balances the load: a node that waits for its store is not to be killed.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node itself is the first process, so that SIGTERM reaches it and drains.
CMD ["node", "--max-semi-space-size=64", "dist/src/main.js"]
