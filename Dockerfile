ARG NODE=node:22-bookworm-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY client/sdk/package.json client/sdk/
COPY client/ui/package.json client/ui/
COPY client/react/package.json client/react/
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY client client
COPY scripts scripts
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
USER node
VOLUME /data
EXPOSE 3000
# /health says that the process is up. Readiness (/ready) is for whoever balances the load: a node that waits for its store is not to be killed.
# With TLS_CERT it is asked by the container's own address, for which no certificate is made.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "const { PORT, TLS_CERT } = process.env; require(TLS_CERT ? 'https' : 'http').get({ port: PORT, path: '/health', rejectUnauthorized: false }, (r) => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
# A shell is the first process and node the second, because the kernel lets nobody inside a container kill its first process, and a frozen
# node must be killed (WATCHDOG). The shell passes signals on, waits for as long as a drain takes, and ends with node's status.
CMD ["sh", "-c", "node --max-semi-space-size=64 dist/src/main.js & node=$!; trap 'kill -TERM $node' TERM INT; trap 'kill -HUP $node' HUP; while :; do wait $node; status=$?; kill -0 $node 2>/dev/null || exit $status; done"]
