// What has to be covered, for tap: the program, and not what tries it.
export default () => ['dist/src/**/*.js', 'dist/plugins/**/*.js']
