/** The fake gateway, as a part of Vite's development server. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Plugin } from 'vite'
import { World } from './world.ts'

const WORKSPACE = { id: 'w1', name: 'Acme', slug: 'acme' }
const SESSION = { user: { id: 'u1', name: 'mira', isAdmin: true }, workspaces: [WORKSPACE], csrfToken: 'fake', expiresAt: '2099-01-01T00:00:00.000Z' }

/** FAKE_DEPLOYMENTS, FAKE_RATE (events a second) and FAKE_OUT=1 (nobody signed in) change the world. */
export function fake(): Plugin {
  return {
    name: 'fake',
    apply: 'serve',
    configureServer(server) {
      const world = new World(Number(process.env['FAKE_DEPLOYMENTS'] ?? 40))
      let open = process.env['FAKE_OUT'] !== '1'
      setInterval(() => world.move(), 1_000 / Number(process.env['FAKE_RATE'] ?? 2)).unref()
      server.middlewares.use((request, response, next) => {
        const url = new URL(request.url ?? '/', 'http://fake')
        if (!url.pathname.startsWith('/api/')) return next()
        if (url.pathname === '/api/session') {
          if (request.method !== 'GET') open = request.method === 'POST'
          return answer(response, open ? SESSION : { message: 'Nobody is signed in.' }, open ? 200 : 401)
        }
        if (!open) return answer(response, { message: 'Nobody is signed in.' }, 401)
        if (url.pathname.endsWith('/stream')) return stream(world, url, request, response)
        if (url.pathname.endsWith('/board')) return answer(response, boardOf(world, url))
        if (url.pathname.endsWith('/events')) return answer(response, eventsOf(world, url))
        return answer(response, { message: 'The fake world has no such thing.' }, 404)
      })
    },
  }
}

function answer(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

function boardOf(world: World, url: URL): unknown {
  const at = url.searchParams.get('at')
  return at ? world.at(Number(at)) : world.board
}

function eventsOf(world: World, url: URL): unknown {
  const before = Number(url.searchParams.get('before') ?? world.position + 1)
  const limit = Number(url.searchParams.get('limit') ?? 50)
  const items = world.facts.filter((fact) => fact.position < before).slice(-limit).reverse()
  return { items, position: world.position }
}

function stream(world: World, url: URL, request: IncomingMessage, response: ServerResponse): void {
  let since = Number(url.searchParams.get('since') ?? world.position)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const say = (event: string, data: unknown) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  const tell = () => {
    const news = world.ring.filter((one) => one.position > since)
    const last = news.at(-1)
    if (!last) return
    since = last.position
    say('patch', { position: last.position, time: last.time, rows: news.flatMap((one) => one.rows), touched: [], events: [] })
  }
  const beat = () => say('beat', { position: world.position, time: new Date().toISOString() })
  beat()
  tell()
  const timers = [setInterval(tell, 100), setInterval(beat, 15_000)]
  request.on('close', () => timers.forEach(clearInterval))
}
