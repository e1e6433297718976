// The page that a browser gets at a repository's root, word for word ChartMuseum's
// (helm/chartmuseum v0.16.5, pkg/chartmuseum/server/multitenant/handlers.go).
import type { Answer } from './answer.ts'

export const WELCOME: Answer = {
  status: 200,
  contentType: 'text/html',
  body: `<!DOCTYPE html>
<html>
<head>
<title>Welcome to ChartMuseum!</title>
<style>
    body {
        width: 35em;
        margin: 0 auto;
        font-family: Tahoma, Verdana, Arial, sans-serif;
    }
</style>
</head>
<body>
<h1>Welcome to ChartMuseum!</h1>
<p>If you see this page, the ChartMuseum web server is successfully installed and
working.</p>

<p>For online documentation and support please refer to the
<a href="https://github.com/helm/chartmuseum">GitHub project</a>.<br/>

<p><em>Thank you for using ChartMuseum.</em></p>
</body>
</html>
`
}
