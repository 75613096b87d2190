"""Cities, industries and words the made-up data is put together from."""

from __future__ import annotations

__all__ = ["CITIES", "FIRST_NAMES", "INDUSTRIES", "LAST_NAMES", "NAME_ENDS", "NAME_STARTS"]

CITIES: tuple[tuple[str, str, str, float, float, float], ...] = (
    ("New York", "NY", "US", 40.71, -74.01, 9.0),
    ("Boston", "MA", "US", 42.36, -71.06, 5.0),
    ("Hartford", "CT", "US", 41.77, -72.67, 1.5),
    ("Philadelphia", "PA", "US", 39.95, -75.17, 3.5),
    ("Pittsburgh", "PA", "US", 40.44, -80.00, 1.5),
    ("Baltimore", "MD", "US", 39.29, -76.61, 1.5),
    ("Washington", "DC", "US", 38.91, -77.04, 4.0),
    ("Richmond", "VA", "US", 37.54, -77.44, 1.0),
    ("Raleigh", "NC", "US", 35.78, -78.64, 2.0),
    ("Charlotte", "NC", "US", 35.23, -80.84, 2.0),
    ("Atlanta", "GA", "US", 33.75, -84.39, 4.0),
    ("Orlando", "FL", "US", 28.54, -81.38, 1.5),
    ("Tampa", "FL", "US", 27.95, -82.46, 1.5),
    ("Miami", "FL", "US", 25.76, -80.19, 2.5),
    ("Nashville", "TN", "US", 36.16, -86.78, 1.5),
    ("Louisville", "KY", "US", 38.25, -85.76, 1.0),
    ("Columbus", "OH", "US", 39.96, -83.00, 1.5),
    ("Cleveland", "OH", "US", 41.50, -81.69, 1.5),
    ("Cincinnati", "OH", "US", 39.10, -84.51, 1.5),
    ("Indianapolis", "IN", "US", 39.77, -86.16, 1.5),
    ("Detroit", "MI", "US", 42.33, -83.05, 2.5),
    ("Chicago", "IL", "US", 41.88, -87.63, 6.0),
    ("Milwaukee", "WI", "US", 43.04, -87.91, 1.0),
    ("Minneapolis", "MN", "US", 44.98, -93.27, 2.5),
    ("St. Louis", "MO", "US", 38.63, -90.20, 1.5),
    ("Kansas City", "MO", "US", 39.10, -94.58, 1.5),
    ("Omaha", "NE", "US", 41.26, -95.94, 0.8),
    ("Des Moines", "IA", "US", 41.59, -93.62, 0.8),
    ("Dallas", "TX", "US", 32.78, -96.80, 4.5),
    ("Houston", "TX", "US", 29.76, -95.37, 4.0),
    ("Austin", "TX", "US", 30.27, -97.74, 3.0),
    ("San Antonio", "TX", "US", 29.42, -98.49, 1.2),
    ("New Orleans", "LA", "US", 29.95, -90.07, 0.8),
    ("Oklahoma City", "OK", "US", 35.47, -97.52, 0.8),
    ("Denver", "CO", "US", 39.74, -104.99, 3.0),
    ("Salt Lake City", "UT", "US", 40.76, -111.89, 1.8),
    ("Phoenix", "AZ", "US", 33.45, -112.07, 2.5),
    ("Las Vegas", "NV", "US", 36.17, -115.14, 1.0),
    ("San Diego", "CA", "US", 32.72, -117.16, 2.5),
    ("Los Angeles", "CA", "US", 34.05, -118.24, 6.5),
    ("San Jose", "CA", "US", 37.34, -121.89, 4.0),
    ("San Francisco", "CA", "US", 37.77, -122.42, 6.0),
    ("Sacramento", "CA", "US", 38.58, -121.49, 1.0),
    ("Portland", "OR", "US", 45.52, -122.68, 1.8),
    ("Seattle", "WA", "US", 47.61, -122.33, 4.0),
    ("Toronto", "ON", "CA", 43.65, -79.38, 3.0),
    ("Ottawa", "ON", "CA", 45.42, -75.70, 0.8),
    ("Montreal", "QC", "CA", 45.50, -73.57, 1.5),
    ("Calgary", "AB", "CA", 51.05, -114.07, 0.8),
    ("Vancouver", "BC", "CA", 49.28, -123.12, 1.5),
)
"""City, state, country, latitude, longitude, weight."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


INDUSTRIES = ("software", "financial", "healthcare", "manufacturing", "retail", "public", "energy", "media")

NAME_STARTS = _words(
    "Amber Apex Arbor Atlas Beacon Birch Blue Bright Cedar Cobalt Copper Coral Crest Delta Eagle Ember Fair Falcon "
    "Forge Garnet Glacier Granite Harbor Hazel Heron Indigo Iron Ivory Juniper Keystone Lark Laurel Lumen Maple "
    "Meridian Mesa North Oak Onyx Orchard Pine Prairie Quartz Raven River Sable Silver Slate Stone Summit Tidal "
    "Timber Union Valley Vertex Willow"
)
NAME_ENDS = _words(
    "Analytics Bank Brands Capital Care Clinics Components Data Dynamics Energy Foods Freight Group Health Holdings "
    "Industries Insurance Labs Logistics Media Metals Motors Networks Outfitters Partners Pharma Power Retail "
    "Robotics Schools Software Studios Supply Systems Technologies Textiles Transit Utilities Ventures Works"
)
FIRST_NAMES = _words(
    "Ana Ben Carla Dev Elena Farid Grace Hugo Iris Jonas Kira Liam Mara Nico Olga Pavel Quinn Rosa Sami Tara Uma "
    "Victor Wen Ximena Yara Zoe"
)
LAST_NAMES = _words(
    "Abbott Becker Castro Diaz Evans Fischer Gupta Hansen Ito Jensen Khan Lopez Meyer Novak Okafor Patel Quist Rossi "
    "Silva Tanaka Usman Vega Weber Xu Young Zhang"
)
