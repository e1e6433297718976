// Pulls a chart as Flux's OCIRepository does, with its own client (github.com/fluxcd/pkg/oci):
// the newest tag in a range of versions, and the layer that layerSelector names by its media
// type. `flux REPOSITORY RANGE MEDIA-TYPE FILE`; the credentials are user:password in
// FLUX_CREDENTIALS. Prints the tag and its digest.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/fluxcd/pkg/oci"
	"github.com/google/go-containerregistry/pkg/crane"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func main() {
	if err := pull(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func pull(repository, versions, mediaType, file string) error {
	auth, err := oci.GetAuthFromCredentials(os.Getenv("FLUX_CREDENTIALS"))
	if err != nil {
		return err
	}
	options := append(oci.DefaultOptions(), crane.WithAuth(auth))
	client := oci.NewClient(options)
	found, err := client.List(context.Background(), repository, oci.ListOptions{SemverFilter: versions})
	if err != nil {
		return err
	}
	tag, err := newest(found)
	if err != nil {
		return err
	}
	url := repository + ":" + tag
	index, err := layerOf(url, mediaType, options)
	if err != nil {
		return err
	}
	pulled, err := client.Pull(context.Background(), url, file, oci.WithPullLayerIndex(index), oci.WithPullLayerType(oci.LayerTypeStatic))
	if err != nil {
		return err
	}
	fmt.Println(tag, after(pulled.Digest, "@"))
	return nil
}

// newest is the tag with the highest version: the list is in the order of its letters.
func newest(found []oci.Metadata) (string, error) {
	var tag string
	var highest *semver.Version
	for _, each := range found {
		version, err := semver.NewVersion(after(each.URL, ":"))
		if err == nil && (highest == nil || version.GreaterThan(highest)) {
			tag, highest = after(each.URL, ":"), version
		}
	}
	if highest == nil {
		return "", fmt.Errorf("no tag is in the range")
	}
	return tag, nil
}

// layerOf tells which layer has the media type: Helm sorts them by digest, so the provenance may be first.
func layerOf(url, mediaType string, options []crane.Option) (int, error) {
	text, err := crane.Manifest(url, options...)
	if err != nil {
		return 0, err
	}
	manifest, err := v1.ParseManifest(bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	for i, layer := range manifest.Layers {
		if string(layer.MediaType) == mediaType {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%s has no layer of %s", url, mediaType)
}

func after(text, separator string) string {
	return text[strings.LastIndex(text, separator)+1:]
}
