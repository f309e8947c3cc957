package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
)

// openAPI is the plugin for the OpenAPI document, with what it has to be told.
func openAPI(root, document string) plugin {
	return plugin{"protoc-gen-openapiv2", strings.Join([]string{
		"allow_merge=true",
		"merge_file_name=" + filepath.Base(document),
		"openapi_configuration=" + filepath.Join(root, "openapi.yaml"),
		"json_names_for_fields=false", // as the server writes them
		"openapi_naming_strategy=simple",
		"allow_patch_feature=false", // or PATCH would hide its update_mask
		"expand_slashed_path_patterns=true",
	}, ","), filepath.Dir(document)}
}

// projectHeader is a parameter of every request.
var projectHeader = map[string]any{
	"name": "Buoy-Project", "in": "header", "required": false, "type": "string",
	"description": "See and change only what this project may; without it, everything.",
}

// finished is an OpenAPI document with what the plugin does not say, without
// what it should not.
func finished(document []byte) ([]byte, error) {
	var d struct {
		Swagger     string                               `json:"swagger"`
		Info        any                                  `json:"info"`
		Tags        any                                  `json:"tags"`
		Schemes     any                                  `json:"schemes"`
		Consumes    any                                  `json:"consumes"`
		Produces    any                                  `json:"produces"`
		Paths       map[string]map[string]map[string]any `json:"paths"`
		Definitions any                                  `json:"definitions"`
	}
	strict := json.NewDecoder(bytes.NewReader(document))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&d); err != nil {
		return nil, err
	}
	for path, operations := range d.Paths {
		for _, o := range operations {
			parameters, _ := o["parameters"].([]any)
			// A name without a wildcard, {name=global/poolBinding}, is listed
			// although the path has it in letters.
			parameters = slices.DeleteFunc(parameters, func(p any) bool {
				named := p.(map[string]any)
				return named["in"] == "path" && !strings.Contains(path, "{"+named["name"].(string)+"}")
			})
			o["parameters"] = append(parameters, projectHeader)
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(d)
	return b.Bytes(), err
}
