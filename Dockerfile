# syntax=docker/dockerfile:1
# Build, then only what runs: no compiler, no tests, no development dependency.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY plugins ./plugins
RUN npm run build && npm ci --omit=dev

FROM node:24-slim
# Variables win over a configuration file: these stay true whatever it says, so that
# HEALTHCHECK and VOLUME do. The admin listener stays on the container's loopback.
ENV NODE_ENV=production \
    CHARTGATE_LISTEN_HOST=0.0.0.0 \
    CHARTGATE_ADMIN_PORT=5002 \
    CHARTGATE_STATE_DIR=/var/lib/chartgate
WORKDIR /app
# Nothing is written but in the state folder, and the public key where `keys export
# --out` puts it. A new volume takes owner and mode from the folder that it covers.
RUN install -d -o node -g node -m 0700 /var/lib/chartgate && install -d -o node -g node -m 0755 /export
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY config ./config
COPY examples ./examples
USER node
VOLUME /var/lib/chartgate
EXPOSE 5001
# Whether the process lives: a chart repository that is away is no reason to restart anything.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "dist/src/cli.js", "healthcheck", "--live"]
# One process, which gets the signals itself; SIGUSR1 never opens Node's debugger.
ENTRYPOINT ["node", "--disable-sigusr1", "dist/src/cli.js"]
CMD ["serve"]
