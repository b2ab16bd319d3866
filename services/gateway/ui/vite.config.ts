import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'
import { ROUTES } from './src/router/routes.ts'
import { fake } from './test/fake/plugin.ts'

const OUT = '../static'

/** Compression once, at build, is what lets the gateway answer from disk and still send the smallest form. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle() {
      const assets = join(import.meta.dirname, OUT, 'assets')
      for (const name of readdirSync(assets)) {
        if (!/\.(js|css|svg|json)$/.test(name)) continue
        const path = join(assets, name)
        const bytes = readFileSync(path)
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }))
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
      }
    },
  }
}

interface Made {
  file: string
  isEntry?: boolean
  imports?: string[]
  css?: string[]
}

/** Which files each page needs beyond those of every page: the gateway names them in what it sends first, so that they come beside the
 *  script that would ask for them, not after it. */
function filesOfPages(): Plugin {
  return {
    name: 'files-of-pages',
    apply: 'build',
    closeBundle() {
      const folder = join(import.meta.dirname, OUT, '.vite')
      const made = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Record<string, Made>
      const reached = (key: string, known = new Set<string>()): Set<string> => {
        if (!known.has(key)) (known.add(key), made[key]?.imports?.forEach((other) => reached(other, known)))
        return known
      }
      const always = reached(Object.keys(made).find((key) => made[key]?.isEntry) ?? '')
      const pages = Object.entries(ROUTES).flatMap(([name, path]) => {
        const page = `src/pages/${name}/index.tsx`
        const chunks = [...reached(page)].filter((key) => made[key] && !always.has(key)).map((key) => made[key] as Made)
        // Those of a page come after those of what it imports, as where the bundler adds them; what several share comes once.
        const styles = new Set(chunks.toReversed().flatMap(({ css }) => css ?? []))
        return chunks.length ? [{ path, scripts: chunks.map(({ file }) => `/${file}`), styles: [...styles].map((file) => `/${file}`) }] : []
      })
      writeFileSync(join(folder, 'pages.json'), JSON.stringify(pages))
    },
  }
}

/** The page draws nothing by itself: without this a browser paints it empty first, while the script is on its way, and then once more. */
function inOnePaint(): Plugin {
  return {
    name: 'in-one-paint',
    apply: 'build',
    transformIndexHtml: { order: 'post', handler: (html) => html.replace('<script type="module"', '<script type="module" blocking="render"') },
  }
}

/** The symbols are a part of the page: a file of their own would come after the first paint, and have all of it drawn once more. */
function icons(): Plugin {
  const sprite = () =>
    readFileSync(join(import.meta.dirname, 'src/icons/sprite.svg'), 'utf8')
      .replace(/^<svg [^>]*>/, '<svg id="icons" aria-hidden="true">')
      .replaceAll('<symbol id="', '<symbol id="icon-')
      .replaceAll(/>\s+</g, '><')
  return { name: 'icons', transformIndexHtml: (html) => html.replace('</body>', `${sprite()}</body>`) }
}

/** What the first screen needs and pages share is one file: left to itself the bundler cuts it up by who shares what, a request for each piece. */
const CORE = new RegExp(
  [
    'node_modules/@?preact',
    'preload-helper',
    'src/(router|time|icons)/',
    'src/api/(client|error|address)\\.ts',
    'src/live/(link|rows)\\.ts',
    'src/session\\.ts',
    'src/board/(board|filter)\\.ts',
    'src/frame/(kept|density|keys|overlays)\\.ts',
    'src/parts/(asked|narrow|numbers|useTold|window)\\.ts',
    'src/parts/(base|Button|say)\\.tsx',
  ].join('|'),
)

/** What most of the other pages share, which is many small modules: one file for the same reason. Nothing of it is in the first screen. */
const SHARED = /src\/(api\/(useQuery|coalesce)|parts\/(List|attention|usePages|State|states|Said|Tabs)|frame\/commands)\.tsx?/

export default defineConfig({
  plugins: [icons(), inOnePaint(), filesOfPages(), compressed(), ...(process.env['UI_API'] ? [] : [fake()])],
  // Inlined assets would be data: addresses, which the page's policy refuses for scripts, styles and fonts.
  build: { target: 'es2023', cssTarget: ['chrome125', 'firefox128', 'safari18'], outDir: OUT, emptyOutDir: true, assetsInlineLimit: 0, manifest: true, modulePreload: { polyfill: false }, rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'core', test: CORE, priority: 2 }, { name: 'shared', test: SHARED, priority: 1 }] } } } },
  worker: { format: 'es' },
  server: { // The origin stays what the browser says: the gateway takes changes from its own address only.
    proxy: process.env['UI_API'] ? { '/api': { target: process.env['UI_API'], changeOrigin: false } } : {},
  },
})
