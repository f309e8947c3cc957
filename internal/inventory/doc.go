// Package inventory holds the resources and their rules.
package inventory
