# The console: static files and nothing else, and the one door to cms. Build from the repository's root:
#   docker build -f infra/images/console.Dockerfile .

FROM node:20.20.0-bookworm-slim AS build
WORKDIR /app
COPY . .
RUN npm ci --ignore-scripts --no-audit --no-fund \
 && npx tsc -b infra \
 && npm run build -w web

FROM nginxinc/nginx-unprivileged:1.29.3-alpine
COPY infra/images/console.nginx.conf /etc/nginx/conf.d/default.conf
COPY --from=build /app/web/dist /usr/share/nginx/html
USER 101:101
