FROM node:24-slim AS manifests
WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY packages/core/package.json packages/core/
COPY packages/member/package.json packages/member/
COPY apps/seeder/package.json apps/seeder/

FROM manifests AS build
RUN npx --yes pnpm@12 install --frozen-lockfile --filter . --filter "@eldernode/seeder..."
COPY tsconfig.base.json ./
COPY packages/core packages/core
COPY packages/member packages/member
COPY apps/seeder apps/seeder
RUN node_modules/.bin/tsc -b apps/seeder

FROM manifests
ENV NODE_ENV=production
RUN npx --yes pnpm@12 install --frozen-lockfile --prod --filter "@eldernode/seeder..." && rm -rf /root/.npm /root/.cache /root/.local
COPY --from=build /app/packages/core/dist packages/core/dist
COPY --from=build /app/packages/member/dist packages/member/dist
COPY --from=build /app/apps/seeder/dist apps/seeder/dist
COPY scripts/owner.ts scripts/admit.ts scripts/
COPY scripts/local/node-api.ts scripts/local/
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
ENV ELDERNODE_DATA=/data ELDERNODE_HTTP_HOST=0.0.0.0
EXPOSE 8765/tcp 6881/tcp
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.ELDERNODE_HTTP_PORT ?? 8765}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "--max-semi-space-size=8", "apps/seeder/dist/main.js"]
