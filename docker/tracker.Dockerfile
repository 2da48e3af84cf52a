FROM node:24-slim AS manifests
WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY packages/core/package.json packages/core/
COPY packages/member/package.json packages/member/
COPY apps/tracker/package.json apps/tracker/

FROM manifests AS build
RUN npx --yes pnpm@12 install --frozen-lockfile --filter . --filter "@eldernode/tracker..."
COPY tsconfig.base.json ./
COPY packages/core packages/core
COPY packages/member packages/member
COPY apps/tracker apps/tracker
RUN node_modules/.bin/tsc -b apps/tracker

FROM manifests
ENV NODE_ENV=production
RUN npx --yes pnpm@12 install --frozen-lockfile --prod --filter "@eldernode/tracker..." && rm -rf /root/.npm /root/.cache /root/.local
COPY --from=build /app/packages/core/dist packages/core/dist
COPY --from=build /app/packages/member/dist packages/member/dist
COPY --from=build /app/apps/tracker/dist apps/tracker/dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
ENV ELDERNODE_SNAPSHOT=/data/peers ELDERNODE_LEDGER_FILE=/data/ledger.db
ENV ELDERNODE_ADMIN_TOKEN_FILE=/data/admin.token ELDERNODE_NETWORK_FOLDER=/data
EXPOSE 8000/tcp 8000/udp
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.ELDERNODE_PORT ?? 8000}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "--max-semi-space-size=8", "apps/tracker/dist/main.js"]
