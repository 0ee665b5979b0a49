# The gateway, and the small programs beside it. No secret and no setting is in the image: both come from the environment.

FROM debian:forky-slim AS dependencies
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates npm
WORKDIR /opt/parley
COPY package.json package-lock.json .npmrc ./
# The one script that is run fetches the pinned Node.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm rebuild node

FROM debian:forky-slim
# Voices and ears of the engine that needs no key.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends flite pocketsphinx pocketsphinx-en-us \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/parley
COPY --from=dependencies /opt/parley/node_modules node_modules
COPY package.json ./
COPY asterisk asterisk
COPY src src
# Numbers, because volumes are told apart by them. Asterisk's group is 5060: what is rendered for it, it may read.
# A new volume takes owner and mode from the folder that it is laid over.
RUN install -d -o 5061 -g 5061 -m 700 /var/lib/parley \
 && install -d -o 5061 -g 5060 -m 770 /var/lib/parley-asterisk
ENV PATH=/opt/parley/node_modules/node/bin:/usr/local/bin:/usr/bin:/bin NODE_ENV=production LANG=C.UTF-8 UV_THREADPOOL_SIZE=16
USER 5061:5061
# The young generation that scripts/parley.mjs gives, for its reason.
CMD ["node", "--max-semi-space-size=4", "src/main.ts"]
